"""What is kept from everybody's eyes: registered secrets, and the keys under which values are encrypted."""

from codetether_core.secrets.data_key import DataKey, data_key_id, number_of, rewrapped
from codetether_core.secrets.secret import HandedSecret, Secret, changed, registered

__all__ = ["DataKey", "HandedSecret", "Secret", "changed", "data_key_id", "number_of", "registered", "rewrapped"]
