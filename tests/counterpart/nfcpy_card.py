"""A card and a reader of nfcpy 1.0.4 for our tests.

read PLACE    selects PPSE on the card there and prints the answer; PLACE is udp:HOST:PORT, or the
              path of a serial line with a PN532
card PLACE    is a card of type A there that answers any command with its instruction byte, for a while
"""

import sys
import time

import nfc
import nfc.clf.pn532
import nfc.clf.transport

LIFE = 15


def frontend(place):
    if place.startswith("udp:"):
        return nfc.ContactlessFrontend(place)
    # Its own search for serial lines knows names in /dev alone.
    device = nfc.clf.pn532.init(nfc.clf.transport.TTY(place))
    device._vendor_name, device._device_name, device._path = "", "PN532", place
    clf = nfc.ContactlessFrontend()
    clf.device = device
    return clf


def read(place):
    clf = frontend(place)
    tag = clf.connect(rdwr={"on-connect": lambda tag: False}, terminate=ends_at(time.time() + LIFE))
    print(tag)
    for _ in range(2):
        print(bytes(tag.send_apdu(0x00, 0xA4, 0x04, 0x00, b"2PAY.SYS.DDF01", mrl=256)).hex())
    clf.close()


def ends_at(end):
    return lambda: time.time() > end


def card(place):
    clf = frontend(place)
    end = time.time() + LIFE
    print("card", flush=True)
    local = nfc.clf.LocalTarget(
        "106A",
        sens_res=bytearray.fromhex("0400"),
        sdd_res=bytearray.fromhex("08010203"),
        sel_res=bytearray.fromhex("20"),
    )
    while time.time() < end:
        target = clf.listen(local, timeout=1.0)
        if target is None or target.tt4_cmd is None:
            continue
        # RATS is answered with frames of 256 bytes and a waiting time of 0.6 s.
        answer = bytearray.fromhex("057880B000")
        try:
            while answer is not None:
                command = clf.exchange(answer, 5.0)
                answer = respond(command)
        except nfc.clf.CommunicationError:
            continue


def respond(block):
    """The card's block for a reader's, each command and response in one."""
    if block[0] & 0xE2 == 0x02:
        return block[0:1] + block[2:3] + bytearray.fromhex("9000")
    if block[0] & 0xF6 == 0xB2:
        return bytearray([0xA2 | block[0] & 1 ^ 1])
    return bytearray([0xC2]) if block[0] == 0xC2 else None


{"read": read, "card": card}[sys.argv[1]](sys.argv[2])
