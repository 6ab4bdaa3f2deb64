"""What a query for tasks may say."""

import pytest

from codetether_core.ids import TaskId
from codetether_core.ports import TaskOrder, TaskQuery
from contracts.ports.samples import NOW


@pytest.mark.parametrize("order", [TaskOrder.CHANGED, TaskOrder.NEWEST])
def test_a_place_is_one_in_an_order_of_time(order: TaskOrder) -> None:
    """In that of priority it would leave out what is no further down."""
    place = NOW, TaskId("t")
    assert TaskQuery(order=order, beyond=place).beyond == place
    with pytest.raises(ValueError, match="order of priority"):
        TaskQuery(order=TaskOrder.PRIORITY, beyond=place)
