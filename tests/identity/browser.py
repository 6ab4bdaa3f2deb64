"""A person with a browser, who signs in at the provider, and enters a code or is sent back to who asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

__all__ = ["agree", "enter_code"]

_ACTION: Final = re.compile(r'<form[^>]*action="([^"]*)"')
_INPUT: Final = re.compile(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"')
_CANCEL: Final = re.compile(r'<a href="([^"]*/abort)"')
_PAGES: Final = 12


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


async def agree(browser: httpx.AsyncClient, url: str, *, name: str, allow: bool = True) -> str:
    """Sign in on the provider's pages, from ``url`` on, as that name; where they send the browser in the end."""
    home = urlsplit(url).netloc
    page = await browser.get(url, follow_redirects=False)
    for _ in range(_PAGES):
        if page.has_redirect_location:
            url = urljoin(str(page.url), page.headers["location"])
            if urlsplit(url).netloc != home:
                return url
            page = await browser.get(url, follow_redirects=False)
            continue
        assert page.status_code == 200, page.text
        where = (_ACTION if allow else _CANCEL).search(page.text)
        assert where is not None, page.text
        url = urljoin(str(page.url), where[1])
        if allow:
            fields: Mapping[str, str] = dict(_INPUT.findall(page.text))
            page = await browser.post(url, data={**fields, "login": name, "password": "x"}, follow_redirects=False)
        else:
            page = await browser.get(url, follow_redirects=False)
    raise AssertionError("the provider sends the browser nowhere")
