"""Asks a PC/SC library what its interface promises, call by call, and prints what came
back. Run on pcscd and on the drop-in library, the two outputs must be the same.

Names of readers, handles and counts of events differ, and are not printed. What a line
that begins with `driver` says is a matter of the reader's driver, not of the library."""

import ctypes
import threading
import time
from ctypes import POINTER, byref, c_char_p, c_long, c_ubyte, c_ulong, c_void_p, create_string_buffer

AUTO = c_ulong(-1).value
SELECT = bytes.fromhex("00A4040008A00000033301010600")
BALANCE = bytes.fromhex("80CA9F7900")
EXCLUSIVE, SHARED, DIRECT = 1, 2, 3
LEAVE, RESET, UNPOWER, EJECT = 0, 1, 2, 3
ANY = 3


class Pci(ctypes.Structure):
    _fields_ = [("protocol", c_ulong), ("length", c_ulong)]


class State(ctypes.Structure):
    _fields_ = [
        ("reader", c_char_p),
        ("user", c_void_p),
        ("current", c_ulong),
        ("event", c_ulong),
        ("atr_length", c_ulong),
        ("atr", c_ubyte * 33),
    ]


pcsc = ctypes.CDLL("libpcsclite.so.1")
pcsc.pcsc_stringify_error.restype = c_char_p
pcsc.pcsc_stringify_error.argtypes = [c_long]


def call(name, *arguments):
    function = getattr(pcsc, name)
    function.restype = c_long
    return function(*arguments)


def said(what, code, *values):
    print(f"{what}: {pcsc.pcsc_stringify_error(code).decode()}", *values, flush=True)
    return code


def context():
    made = c_long()
    assert call("SCardEstablishContext", c_ulong(2), None, None, byref(made)) == 0
    return made


def reader_names(ctx):
    length = c_ulong(0)
    assert call("SCardListReaders", ctx, None, None, byref(length)) == 0
    names = create_string_buffer(length.value)
    assert call("SCardListReaders", ctx, None, names, byref(length)) == 0
    return names.raw


def connect(ctx, share=SHARED, protocols=ANY, name=None):
    card, protocol = c_long(), c_ulong()
    code = call("SCardConnect", ctx, name or READER, c_ulong(share), c_ulong(protocols), byref(card), byref(protocol))
    return code, card, protocol.value


def transmit(card, command, room=258, pci=2, length=None):
    answer, got = create_string_buffer(max(room, 1)), c_ulong(room)
    header = Pci(pci, 16)
    code = call(
        "SCardTransmit", card, byref(header), command, c_ulong(len(command)), None, answer, byref(got)
    )
    return code, answer.raw[: got.value].hex() if code == 0 else ""


def status(card):
    state, protocol, length = c_ulong(), c_ulong(), c_ulong(33)
    atr = create_string_buffer(33)
    code = call("SCardStatus", card, None, None, byref(state), byref(protocol), atr, byref(length))
    return code, hex(state.value & 0xFFFF), protocol.value, atr.raw[: length.value].hex()


def change(ctx, timeout, *rows):
    states = (State * len(rows))()
    for state, (name, current) in zip(states, rows):
        state.reader, state.current = name, current
    code = call("SCardGetStatusChange", ctx, c_ulong(timeout), states, c_ulong(len(rows)))
    return code, [(hex(s.event & 0xFFFF), bytes(s.atr[: s.atr_length]).hex()) for s in states], states


def disconnect(card, what=LEAVE):
    return call("SCardDisconnect", card, c_ulong(what))


# The table of words.
for code in [0, 5, *range(0x80100000, 0x80100034), *range(0x80100064, 0x80100074)]:
    said("word", code)

# Contexts.
ctx = c_long()
said("establish into nothing", call("SCardEstablishContext", c_ulong(2), None, None, None))
said("establish with a bad scope", call("SCardEstablishContext", c_ulong(9), None, None, byref(ctx)), ctx.value)
ctx = context()
other = context()
said("valid", call("SCardIsValidContext", ctx))
said("release", call("SCardReleaseContext", other))
said("release twice", call("SCardReleaseContext", other))
said("valid after release", call("SCardIsValidContext", other))
said("cancel after release", call("SCardCancel", other))
said("cancel without a wait", call("SCardCancel", ctx))

# Lists.
names = reader_names(ctx)
READER, whole = names.split(b"\0")[0], len(names)
length = c_ulong(0)
said("list without a length", call("SCardListReaders", ctx, None, None, None))
said("list, length only", call("SCardListReaders", ctx, None, None, byref(length)), length.value == whole)
buffer, length = create_string_buffer(4), c_ulong(4)
said("list, short", call("SCardListReaders", ctx, None, buffer, byref(length)), length.value == whole)
pointer, length = c_void_p(), c_ulong(AUTO)
said("list, allocated", call("SCardListReaders", ctx, None, byref(pointer), byref(length)), length.value == whole)
print(ctypes.string_at(pointer.value, length.value) == names)
said("free", call("SCardFreeMemory", ctx, pointer))
said("free on a bad context", call("SCardFreeMemory", other, None))
length = c_ulong(AUTO)
said("list, allocated into nothing", call("SCardListReaders", ctx, None, None, byref(length)))
said("list on a bad context", call("SCardListReaders", other, None, None, byref(length)))
length = c_ulong(0)
said("groups, length only", call("SCardListReaderGroups", ctx, None, byref(length)), length.value)
buffer, length = create_string_buffer(64), c_ulong(64)
said("groups", call("SCardListReaderGroups", ctx, buffer, byref(length)), buffer.raw[: length.value])
length = c_ulong(3)
said("groups, short", call("SCardListReaderGroups", ctx, buffer, byref(length)), length.value)
said("groups on a bad context", call("SCardListReaderGroups", other, buffer, byref(length)))

# Connecting. Somebody may have chosen a protocol before: a reset forgets it.
disconnect(connect(ctx)[1], RESET)
card, protocol = c_long(), c_ulong()
said("connect into nothing", call("SCardConnect", ctx, READER, c_ulong(2), c_ulong(3), None, byref(protocol)))
said("connect to nothing", call("SCardConnect", ctx, None, c_ulong(2), c_ulong(3), byref(card), byref(protocol)))
said("connect to a stranger", connect(ctx, name=b"no such reader")[0])
said("connect to a long name", connect(ctx, name=b"x" * 300)[0])
said("connect on a bad context", connect(other)[0])
said("connect, bad sharing", connect(ctx, share=7)[0])
said("connect, no protocol", connect(ctx, protocols=0)[0])
said("connect, strange protocol", connect(ctx, protocols=0x40)[0])
for wanted in [1, 2, 3, 0x1000]:
    code, card, protocol = connect(ctx, protocols=wanted)
    said(f"connect, protocols {wanted:x}", code, protocol)
    said("status", *status(card))
    # The protocol is chosen anew after a reset only.
    said("reset and go", disconnect(card, RESET))
code, card, protocol = connect(ctx)
for wanted in [1, 2]:
    code, second, protocol = connect(ctx, protocols=wanted)
    said(f"a second one, protocol {wanted}", code, protocol)
    if code == 0:
        disconnect(second)
said("an exclusive one beside it", connect(ctx, share=EXCLUSIVE)[0])
said("disconnect, bad disposition", disconnect(card, 9))
said("disconnect", disconnect(card))
said("disconnect twice", disconnect(card))
said("disconnect handle 0", disconnect(c_long(0)))
code, card, protocol = connect(ctx, share=DIRECT, protocols=0)
said("direct", code)
said("transmit on a direct one", transmit(card, SELECT)[0] in (0, 0x8010000F))
disconnect(card, RESET)
code, card, protocol = connect(ctx, share=EXCLUSIVE)
said("exclusive", code, protocol)
said("another beside an exclusive one", connect(ctx)[0])
said("a direct one beside an exclusive one", connect(ctx, share=DIRECT)[0])
said("state of an exclusive one", *change(ctx, 0, (READER, 0))[:2])
protocol = c_ulong()
said("exclusive to shared", call("SCardReconnect", card, c_ulong(SHARED), c_ulong(ANY), c_ulong(LEAVE), byref(protocol)), protocol.value)
# Another connect now would hang: pcscd 1.9.9 keeps the lock of the exclusive time.
disconnect(card)

# Commands.
code, card, protocol = connect(ctx)
said("select", *transmit(card, SELECT))
said("balance", *transmit(card, BALANCE))
said("select again", *transmit(card, SELECT))
header, room = Pci(2, 16), c_ulong(258)
buffer = create_string_buffer(258)
said("transmit without a header", call("SCardTransmit", card, None, SELECT, c_ulong(14), None, buffer, byref(room)))
said("transmit nothing", call("SCardTransmit", card, byref(header), None, c_ulong(14), None, buffer, byref(room)))
said("transmit into nothing", call("SCardTransmit", card, byref(header), SELECT, c_ulong(14), None, None, byref(room)))
said("transmit without a length", call("SCardTransmit", card, byref(header), SELECT, c_ulong(14), None, buffer, None))
said("transmit on a bad handle", transmit(c_long(7), SELECT)[0])
said("transmit under another protocol", transmit(card, SELECT, pci=1)[0])
said("transmit into one byte", transmit(card, SELECT, room=1)[0])
said("transmit too much", transmit(card, b"\0" * 70000)[0])
said("an unknown class", *transmit(card, bytes.fromhex("F0A4040000")))

# Transactions.
code, second, _ = connect(ctx)
said("end without a beginning", call("SCardEndTransaction", card, c_ulong(LEAVE)))
said("begin", call("SCardBeginTransaction", card))
said("begin again", call("SCardBeginTransaction", card))
said("transmit in it", *transmit(card, BALANCE))
said("transmit beside it", transmit(second, BALANCE)[0])
said("status beside it", status(second)[0])
said("end beside it", call("SCardEndTransaction", second, c_ulong(LEAVE)))
said("reset beside it", call("SCardEndTransaction", second, c_ulong(RESET)))
said("end, bad disposition", call("SCardEndTransaction", card, c_ulong(9)))
said("end", call("SCardEndTransaction", card, c_ulong(LEAVE)))
said("still in it", transmit(second, BALANCE)[0])
said("end again", call("SCardEndTransaction", card, c_ulong(LEAVE)))
said("out of it", transmit(second, BALANCE)[0])
said("begin on a bad handle", call("SCardBeginTransaction", c_long(7)))
waited = []


def begin_second():
    waited.append(call("SCardBeginTransaction", second))
    waited.append(call("SCardEndTransaction", second, c_ulong(LEAVE)))


call("SCardBeginTransaction", card)
thread = threading.Thread(target=begin_second)
thread.start()
time.sleep(0.3)
print("waits", waited)
call("SCardEndTransaction", card, c_ulong(LEAVE))
thread.join(5)
print("waited", waited)

# Resets.
said("reset at the end", call("SCardBeginTransaction", card), call("SCardEndTransaction", card, c_ulong(RESET)))
said("own handle", transmit(card, SELECT)[0])
said("other handle", transmit(second, SELECT)[0])
said("status of it", status(second)[0])
said("begin on it", call("SCardBeginTransaction", second))
said("attribute of it", call("SCardGetAttrib", second, c_ulong(0x90303), None, byref(c_ulong(0))))
for handle in [card, second]:
    code = call("SCardReconnect", handle, c_ulong(SHARED), c_ulong(ANY), c_ulong(LEAVE), byref(protocol_out := c_ulong()))
    said("reconnect", code, protocol_out.value)
    said("and on", *transmit(handle, BALANCE))
for what in [RESET, UNPOWER]:
    code = call("SCardReconnect", card, c_ulong(SHARED), c_ulong(ANY), c_ulong(what), byref(protocol_out))
    said(f"reconnect with {what}", code, protocol_out.value)
    said("own handle", *transmit(card, BALANCE))
    said("other handle", transmit(second, BALANCE)[0])
    call("SCardReconnect", second, c_ulong(SHARED), c_ulong(ANY), c_ulong(LEAVE), byref(protocol_out))
for share, wanted, what in [(7, 3, 0), (2, 0, 0), (2, 3, 9), (2, 3, EJECT), (1, 3, 0)]:
    if share == EXCLUSIVE:
        disconnect(second)
    code = call("SCardReconnect", card, c_ulong(share), c_ulong(wanted), c_ulong(what), byref(protocol_out))
    said(f"reconnect {share} {wanted} {what}", code)
said("reconnect into nothing", call("SCardReconnect", card, c_ulong(2), c_ulong(3), c_ulong(0), None))
said("reconnect a bad handle", call("SCardReconnect", c_long(7), c_ulong(2), c_ulong(3), c_ulong(0), byref(protocol_out)))
disconnect(card, UNPOWER)
code, card, protocol = connect(ctx)
said("after power off", code, protocol)
said("nothing is selected", *transmit(card, BALANCE))

# Status.
state, protocol, name_length, atr_length = c_ulong(), c_ulong(), c_ulong(), c_ulong()
said("status, lengths only", call("SCardStatus", card, None, byref(name_length), None, None, None, byref(atr_length)), name_length.value == len(READER) + 1, atr_length.value)
name, atr = create_string_buffer(3), create_string_buffer(3)
name_length, atr_length = c_ulong(3), c_ulong(3)
said("status, short", call("SCardStatus", card, name, byref(name_length), byref(state), None, atr, byref(atr_length)), name_length.value == len(READER) + 1, atr_length.value, name.raw == READER[:3], atr.raw.hex())
name, atr = c_void_p(), c_void_p()
name_length, atr_length = c_ulong(AUTO), c_ulong(AUTO)
said("status, allocated", call("SCardStatus", card, byref(name), byref(name_length), None, None, byref(atr), byref(atr_length)), name_length.value == len(READER) + 1, atr_length.value)
print(ctypes.string_at(name.value) == READER, ctypes.string_at(atr.value, atr_length.value).hex())
call("SCardFreeMemory", ctx, name), call("SCardFreeMemory", ctx, atr)
said("status of nothing asked", call("SCardStatus", card, None, None, None, None, None, None))
said("status on a bad handle", status(c_long(7))[0])

# Attributes and control.
length = c_ulong(0)
said("driver: attribute, length only", call("SCardGetAttrib", card, c_ulong(0x90303), None, byref(length)), length.value)
value, length = create_string_buffer(40), c_ulong(40)
said("driver: attribute", call("SCardGetAttrib", card, c_ulong(0x90303), value, byref(length)), value.raw[: length.value].hex())
length = c_ulong(3)
said("driver: attribute, short", call("SCardGetAttrib", card, c_ulong(0x90303), value, byref(length)))
pointer, length = c_void_p(), c_ulong(AUTO)
said("driver: attribute, allocated", call("SCardGetAttrib", card, c_ulong(0x90303), byref(pointer), byref(length)), length.value)
call("SCardFreeMemory", ctx, pointer)
value, length = create_string_buffer(200), c_ulong(200)
said("driver: friendly name", call("SCardGetAttrib", card, c_ulong(0x7FFF0003), value, byref(length)), value.raw[: length.value] == READER + b"\0")
said("attribute without a length", call("SCardGetAttrib", card, c_ulong(0x90303), value, None))
said("an unknown attribute", call("SCardGetAttrib", card, c_ulong(0x12345), value, byref(length)))
length = c_ulong(300)
said("a long attribute", call("SCardGetAttrib", card, c_ulong(0x90303), value, byref(length)))
said("set nothing", call("SCardSetAttrib", card, c_ulong(0x90303), None, c_ulong(0)))
said("driver: set", call("SCardSetAttrib", card, c_ulong(0x12345), b"x", c_ulong(1)))
returned = c_ulong(9)
said("driver: features", call("SCardControl", card, c_ulong(0x42000D48), None, c_ulong(0), value, c_ulong(200), byref(returned)), returned.value)
said("control", call("SCardControl", card, c_ulong(0x42000001), b"x", c_ulong(1), value, c_ulong(200), byref(returned)), returned.value)
said("control on a bad handle", call("SCardControl", c_long(7), c_ulong(1), b"x", c_ulong(1), value, c_ulong(200), byref(returned)))

# Changes. INUSE: a card is connected.
PNP = b"\\\\?PnP?\\Notification"
said("unaware", *change(ctx, 0, (READER, 0))[:2])
code, told, states = change(ctx, 1000, (READER, 0))
said("as it was told", *change(ctx, 50, (READER, states[0].event & ~2))[:2])
said("empty, it thinks", *change(ctx, 1000, (READER, 0x10))[:2])
said("in use, it thinks", *change(ctx, 50, (READER, 0x120))[:2])
said("exclusive, it thinks", *change(ctx, 1000, (READER, 0xA0))[:2])
said("present, it thinks", *change(ctx, 50, (READER, 0x20))[:2])
said("another count", *change(ctx, 1000, (READER, 0x00550020))[:2])
said("mute, it thinks", *change(ctx, 1000, (READER, 0x220))[:2])
said("unknown, it thinks", *change(ctx, 1000, (READER, 0x4))[:2])
said("ignored", *change(ctx, 1000, (READER, 1))[:2])
said("one ignored", *change(ctx, 50, (READER, 1), (PNP, 0))[:2])
said("a stranger", change(ctx, 50, (b"no such reader", 0))[0])
said("readers that come", *change(ctx, 50, (PNP, 0))[:2])
said("both", *change(ctx, 50, (READER, 0), (PNP, 0))[:2])
said("none", change(ctx, 50)[0])
said("nothing", call("SCardGetStatusChange", ctx, c_ulong(0), None, c_ulong(1)))
said("no name", change(ctx, 50, (None, 0))[0])
said("too many", change(ctx, 50, *[(READER, 0)] * 17)[0])
said("on a bad context", change(other, 50, (READER, 0))[0])
said("on a bad context, none", change(other, 50)[0])
cancelled = []
thread = threading.Thread(target=lambda: cancelled.append(change(ctx, 0xFFFFFFFF, (READER, 0x120))[0]))
thread.start()
time.sleep(0.3)
# From another context's thread the same context is named.
said("cancel", call("SCardCancel", ctx))
thread.join(5)
said("cancelled", *cancelled)
said("disconnect", disconnect(card))
said("not in use any more", *change(ctx, 1000, (READER, 0x120))[:2])
code, card, protocol = connect(ctx)
call("SCardBeginTransaction", card)
said("release in a transaction", call("SCardReleaseContext", ctx))
said("its handle", transmit(card, BALANCE)[0])
ctx = context()
said("and the reader is free", connect(ctx)[0])
