"""Prints the table of settings for the documentation."""

from codetether_apps.settings.showing import documented

if __name__ == "__main__":
    print(documented())
