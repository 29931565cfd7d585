"""A card, a reader and a peer of nfcpy 1.0.4 for our tests.

read PLACE         selects PPSE on the card there and prints the answer, and its electronic cash and
                   prints the balance; PLACE is udp:HOST:PORT, or the path of a serial line with a PN532
ndef PLACE         prints the records of the tag there
card PLACE [PORT]  is a card of type A there, for a while: with PORT one whose commands the card at
                   the other end of a TCP connection answers, as with vpcd; else one that answers any
                   command with its instruction byte
felica PLACE       is a FeliCa card there, for a while, a tag of type 3 with a record
ultralight PLACE   is a MIFARE Ultralight there, for a while, a tag of type 2 with a record
give PLACE         is an initiator of NFC-DEP there, and puts a record at the other's SNEP server
take PLACE         is a target of NFC-DEP there, and prints what is put at its SNEP server
"""

import socket
import struct
import sys
import threading
import time

import ndef
import nfc
import nfc.clf.pn532
import nfc.clf.transport
import nfc.snep

# Whoever has started it ends it.
LIFE = 300
# Frames of 256 bytes and a waiting time of 0.6 s.
ATS = bytearray.fromhex("057880B000")
# The most data in a block of such a frame: PCB and check sum go off.
MOST = 253
ECASH = bytes.fromhex("A000000333010106")
RECORD = ndef.UriRecord("https://example.org/")


def frontend(place):
    if place.startswith("udp:"):
        return nfc.ContactlessFrontend(place)
    # Its own search for serial lines knows names in /dev alone.
    device = nfc.clf.pn532.init(nfc.clf.transport.TTY(place))
    device._vendor_name, device._device_name, device._path = "", "PN532", place
    clf = nfc.ContactlessFrontend()
    clf.device = device
    return clf


def ends_at(end):
    return lambda: time.time() > end


def find(clf):
    return clf.connect(rdwr={"on-connect": lambda tag: False}, terminate=ends_at(time.time() + LIFE))


def read(place):
    clf = frontend(place)
    tag = find(clf)
    print(tag)
    for _ in range(2):
        print(bytes(tag.send_apdu(0x00, 0xA4, 0x04, 0x00, b"2PAY.SYS.DDF01", mrl=256)).hex())
    tag.send_apdu(0x00, 0xA4, 0x04, 0x00, ECASH, mrl=256)
    print("balance", bytes(tag.send_apdu(0x80, 0xCA, 0x9F, 0x79, mrl=256)).hex())
    clf.close()


def read_ndef(place):
    clf = frontend(place)
    tag = find(clf)
    print(tag)
    for record in tag.ndef.records:
        print(record)
    clf.close()


class Echo:
    def begin(self):
        pass

    def answer(self, command):
        return command[1:2] + bytearray.fromhex("9000")


class Far:
    """A card that has connected to a port, as to the driver of the virtual reader."""

    def __init__(self, port):
        server = socket.create_server(("127.0.0.1", int(port)))
        print("waiting for the card", flush=True)
        self.connection = server.accept()[0]
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def begin(self):
        self.say(bytes([1]))

    def answer(self, command):
        self.say(command)
        return self.take(*struct.unpack(">H", self.take(2)))

    def say(self, message):
        self.connection.sendall(struct.pack(">H", len(message)) + bytes(message))

    def take(self, length):
        taken = bytearray()
        while len(taken) < length:
            part = self.connection.recv(length - len(taken))
            if not part:
                sys.exit("the card is gone")
            taken += part
        return taken


class Picc:
    """The card's rules of ISO/IEC 14443-4, 7.5.4, for a line that loses nothing."""

    def __init__(self, far):
        self.far, self.command, self.left, self.last = far, bytearray(), bytearray(), None
        far.begin()

    def hear(self, block):
        kind = block[0] & 0xC0
        if kind == 0x00:
            self.command += block[1:]
            if block[0] & 0x10:
                return self.say(bytearray([0xA2 | block[0] & 1]))
            self.left, self.command = self.far.answer(self.command), bytearray()
            return self.next_part(block[0] & 1)
        if kind == 0x80:
            if self.last is not None and block[0] & 1 == self.last[0] & 1:
                return self.last
            if block[0] & 0x10:
                return bytearray([0xA2 | block[0] & 1 ^ 1])
            return self.next_part(block[0] & 1)
        # S(DESELECT) comes back as it is.
        return bytearray([block[0]])

    def next_part(self, number):
        part, self.left = self.left[:MOST], self.left[MOST:]
        return self.say(bytearray([0x02 | number | (0x10 if self.left else 0)]) + part)

    def say(self, block):
        self.last = block
        return block


def goes_on(heard):
    """Whether a reader goes on, and does not search anew, by REQA or WUPA."""
    return heard is not None and bytes(heard) not in (b"\x26", b"\x52")


def card(place, port=None):
    far = Far(port) if port else Echo()
    clf = frontend(place)
    end = time.time() + LIFE
    print("card", flush=True)
    local = nfc.clf.LocalTarget(
        "106A",
        sens_res=bytearray.fromhex("0400"),
        sdd_res=bytearray.fromhex("08010203"),
        sel_res=bytearray.fromhex("20"),
        rats_res=ATS,
    )
    while time.time() < end:
        target = clf.listen(local, timeout=1.0)
        if target is None or target.tt4_cmd is None:
            continue
        picc = Picc(far)
        # Over UDP the first frame is RATS; a chip's driver has answered that itself.
        heard = bytearray(target.tt4_cmd)
        try:
            while goes_on(heard):
                answer = ATS if heard[0] == 0xE0 else picc.hear(heard)
                heard = clf.exchange(answer, 5.0)
        except nfc.clf.CommunicationError:
            continue


def felica(place):
    message = b"".join(ndef.message_encoder([RECORD]))
    # NFC Forum Type 3 Tag, 5.1: version, blocks at once, blocks, state, access, length, check sum.
    attributes = bytes.fromhex("10040100040000000000") + bytes([1]) + struct.pack(">I", len(message))[1:]
    attributes += struct.pack(">H", sum(attributes))
    blocks = [attributes] + [message[at : at + 16].ljust(16, b"\0") for at in range(0, len(message), 16)]

    def block(number, *_):
        return bytearray(blocks[number]) if number < len(blocks) else None

    def begin(target):
        target.brty = "212F"
        # NFCID2, PMm, and the system code of NFC Forum tags.
        target.sensf_res = bytearray.fromhex("01" + "02FE010203040506" + "FFFFFFFFFFFFFFFF" + "12FC")
        return target

    def met(tag):
        tag.add_service(0x000B, block, None)
        return True

    clf = frontend(place)
    end = time.time() + LIFE
    print("felica", flush=True)
    while time.time() < end:
        clf.connect(card={"on-startup": begin, "on-connect": met}, terminate=ends_at(end))


def ultralight(place):
    message = b"".join(ndef.message_encoder([RECORD]))
    # Identifier and its check bytes, lock bits, and the capabilities of 48 bytes for data; then the message.
    pages = bytearray.fromhex("0401028F" + "03040506" + "04480000" + "E1100600")
    pages += bytes([0x03, len(message)]) + message + b"\xFE"
    pages = pages.ljust(64, b"\0")

    def answer(command):
        if command[0] == 0x30 and command[1] < 16:
            begin = 4 * command[1]
            return (pages + pages)[begin : begin + 16]
        # It does not know it, as with GET_VERSION of later chips.
        return None

    clf = frontend(place)
    end = time.time() + LIFE
    local = nfc.clf.LocalTarget(
        "106A",
        sens_res=bytearray.fromhex("4400"),
        sdd_res=bytearray.fromhex("04010203040506"),
        sel_res=bytearray.fromhex("00"),
    )
    while time.time() < end:
        target = clf.listen(local, timeout=1.0)
        if target is None or target.tt2_cmd is None:
            continue
        heard = target.tt2_cmd
        try:
            while goes_on(heard):
                heard = clf.exchange(answer(heard), 5.0)
        except nfc.clf.CommunicationError:
            continue


def give(place):
    def met(llc):
        def put():
            # Where the link breaks on the way, the two meet again.
            if nfc.snep.SnepClient(llc).put_records([RECORD], timeout=5.0):
                print("put True", flush=True)
                done.set()

        threading.Thread(target=put).start()
        return True

    done = threading.Event()
    clf = frontend(place)
    end = ends_at(time.time() + LIFE)
    while not done.is_set() and not end():
        clf.connect(llcp={"role": "initiator", "on-connect": met}, terminate=lambda: done.is_set() or end())
    clf.close()


class Taker(nfc.snep.SnepServer):
    def process_put_request(self, records):
        for record in records:
            print("taken", bytes(record.data).hex(), flush=True)
        return nfc.snep.Success


def take(place):
    servers = []

    def begin(llc):
        servers.append(Taker(llc))
        return llc

    def met(llc):
        servers[-1].start()
        return True

    clf = frontend(place)
    print("target", flush=True)
    llcp = {"role": "target", "on-startup": begin, "on-connect": met}
    end = ends_at(time.time() + LIFE)
    while not end():
        clf.connect(llcp=llcp, terminate=end)
    clf.close()


ROLES = {"read": read, "ndef": read_ndef, "card": card, "felica": felica, "ultralight": ultralight, "give": give, "take": take}
ROLES[sys.argv[1]](*sys.argv[2:])
