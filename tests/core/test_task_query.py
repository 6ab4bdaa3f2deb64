"""What a query for tasks may say."""

import pytest

from codetether_core.ids import TaskId
from codetether_core.ports import TaskOrder, TaskQuery
from contracts.ports.samples import NOW


@pytest.mark.parametrize("order", [TaskOrder.PRIORITY, TaskOrder.NEWEST])
def test_a_place_is_one_in_the_order_of_change(order: TaskOrder) -> None:
    """Elsewhere it would leave out what is no further down."""
    place = NOW, TaskId("t")
    assert TaskQuery(order=TaskOrder.CHANGED, beyond=place).beyond == place
    with pytest.raises(ValueError, match="order of change"):
        TaskQuery(order=order, beyond=place)
