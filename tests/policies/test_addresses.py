"""Webhooks go to public hosts alone, in whatever form an address or a URL is written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.addresses import SPECIAL_4, SPECIAL_6, may_reach, read_address, read_networks
from policies.errors import Invalid
from policies.webhook_url import check_reach, read_url

# Written down apart from the code, by what lives there: the independent list of the law.
INSIDE_4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "100.100.100.200/32",
    "255.255.255.255/32",
]
INSIDE_6 = [
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fd00:ec2::254/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "4000::/2",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "192.169.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::8a",
    "2400:cb00::1",
]


def in_network(text: str) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    network = ip_network(text)
    return st.integers(0, network.num_addresses - 1).map(lambda place: network[place])


INSIDE = st.one_of([in_network(each) for each in INSIDE_4 + INSIDE_6 if each != "::ffff:0:0/96"])
INSIDE_V4 = st.one_of([in_network(each) for each in INSIDE_4])


def spellings(address: IPv4Address | IPv6Address) -> list[str]:
    """Every text that the libraries here may take for this address."""
    if isinstance(address, IPv6Address):
        return [address.compressed, address.exploded, address.exploded.upper()]
    mapped = IPv6Address(f"::ffff:{address}")
    return [str(address), mapped.compressed, mapped.exploded, f"::ffff:{address}", f"0:0:0:0:0:FFFF:{address}"]


@given(INSIDE, st.data())
def test_no_address_inside_may_be_reached_in_any_spelling(
    address: IPv4Address | IPv6Address, data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from(spellings(address)))
    read = read_address(text)
    assert read is not None
    assert not may_reach(read)
    for zone in ("", "%lo", "%25eth0"):
        again = read_address(text + zone)
        assert again is not None
        assert not may_reach(again)


@given(INSIDE_V4)
def test_no_ipv6_address_that_carries_one_inside_may_be_reached(address: IPv4Address) -> None:
    number = int(address)
    carried = [number, (0xFFFF << 32) | number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80)]
    teredo = (0x20010000 << 96) | (0x41D0E402 << 64) | (number ^ 0xFFFFFFFF)
    for each in (*carried, teredo, (0x64FF9B0001 << 88) | number):
        assert not may_reach(read_address(str(IPv6Address(each))) or address)


@given(INSIDE, st.sampled_from(["https", "http"]), st.sampled_from(["", ":8443"]), st.data())
@example(ip_address("127.0.0.1"), "https", "", None)
def test_no_url_leads_inside_by_an_address(
    address: IPv4Address | IPv6Address, scheme: str, port: str, data: st.DataObject | None
) -> None:
    forms = spellings(address)
    text = data.draw(st.sampled_from(forms)) if data is not None else forms[0]
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(Invalid):
        reach(f"{scheme}://{host}{port}/hook")


def reach(url: str) -> None:
    """What a sender looks at before it connects to an address in a URL."""
    target = read_url(url)
    check_reach(target, [target.literal] if target.literal else [], ())


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_reached(text: str) -> None:
    address = read_address(text)
    assert address is not None
    assert may_reach(address)
    host = f"[{text}]" if ":" in text else text
    check_reach(read_url(f"https://{host}/hook"), [address], ())


def test_every_list_is_one_of_networks_that_hold_no_public_address() -> None:
    for text in PUBLIC:
        address = ip_address(text)
        assert not any(address.version == each.version and address in each for each in (*SPECIAL_4, *SPECIAL_6))


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://example.com.0x7f/",
        "https://1.2.3.4.5/",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://127.0.0.1\\.example.com/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/a#b",
        "https://exa mple.com/",
        "https://example.com\t/",
        "https://example.com/\n",
        "https://ex\u00e4mple.com/",
        "https://\u2460\u2461\u2466.0.0.1/",
        "https://127\u30020\u30020\u30021/",
        "https://example.com./",
        "https://-example.com/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[v1.x]/",
        "https://[fe80::1%25lo]/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:22/",
        "https://example.com:80/",
        "https://example.com:25/",
        "https://example.com:65536/",
        "https://example.com:99999/",
        "http://example.com:443/",
        "https:/example.com/",
        "https:///example.com/",
        "//example.com/",
        "HTTPS://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "unix:///var/run/docker.sock",
        "https://example.com?x",
        f"https://example.com/{'a' * 2000}",
        "",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        read_url(url)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.com/a?b=c&d=%20", "hooks.example.com", 443),
        ("https://Hooks.Example.com", "hooks.example.com", 443),
        ("https://xn--exmple-cua.com:8443/x", "xn--exmple-cua.com", 8443),
        ("https://[2606:4700::1111]:9000/x", "2606:4700::1111", 9000),
        ("http://localhost:8080/x", "localhost", 8080),
    ],
)
def test_a_plain_url_is_read(url: str, host: str, port: int) -> None:
    target = read_url(url)
    assert (target.host, target.port) == (host, port)


def test_a_host_with_one_address_inside_is_refused_whole() -> None:
    target = read_url("https://hooks.example.com/")
    check_reach(target, [ip_address("1.1.1.1")], ())
    with pytest.raises(Invalid, match=r"10\.0\.0\.7, which is not a public address"):
        check_reach(target, [ip_address("1.1.1.1"), ip_address("10.0.0.7")], ())
    with pytest.raises(Invalid, match="no address"):
        check_reach(target, [], ())


def test_what_the_operator_names_may_be_reached_and_nothing_beside_it() -> None:
    house = read_networks("10.1.0.0/16, fd12::/16")
    assert may_reach(ip_address("10.1.2.3"), house)
    assert may_reach(read_address("::ffff:10.1.2.3") or ip_address("::"), house)
    assert may_reach(ip_address("fd12::7"), house)
    assert not may_reach(ip_address("10.2.0.1"), house)
    everywhere = read_networks("0.0.0.0/0,::/0")
    for never in ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"):
        assert not may_reach(ip_address(never), everywhere)


def test_without_tls_only_this_machine_is_reached_and_only_where_the_operator_says_so() -> None:
    here, house = read_networks("127.0.0.0/8"), read_networks("10.0.0.0/8")
    check_reach(read_url("http://localhost:9000/"), [ip_address("127.0.0.1")], here)
    for addresses, networks in (
        ([ip_address("127.0.0.1")], ()),
        ([ip_address("10.0.0.1")], house),
        ([ip_address("1.1.1.1")], ()),
    ):
        with pytest.raises(Invalid):
            check_reach(read_url("http://hooks.example.com/"), addresses, networks)


@pytest.mark.parametrize("text", ["10.1.0.0/33", "10.1.2.3/16", "house", "10.0.0.0/8;127.0.0.0/8"])
def test_networks_that_are_none_are_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        read_networks(text)
