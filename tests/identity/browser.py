"""A person with a browser, who signs in at the provider and enters a code."""

from __future__ import annotations

import re

import httpx

__all__ = ["enter_code"]

_ACTION = re.compile(r'<form[^>]*action="([^"]*)"')
_INPUT = re.compile(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"')


def enter_code(uri: str, *, name: str, allow: bool = True) -> str:
    """Open the page, send what its forms ask for, sign in as that name, and agree; what the last page says."""
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(uri)
        for answers in ({}, {"confirm": "yes"} if allow else {"abort": "yes"}, {"login": name, "password": "x"}, {}):
            action = _ACTION.search(page.text)
            if action is None:
                break
            fields = dict(_INPUT.findall(page.text))
            if not allow:
                fields.pop("confirm", None)
            page = browser.post(action[1], data={**fields, **answers})
    return page.text
