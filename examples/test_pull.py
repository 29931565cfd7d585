"""A test of a program that uses pyscard: the card is pulled in the middle of a
transaction, comes back, and still holds what it held.

    cardwright pcsclite --control /tmp/cards -- python3 examples/test_pull.py
"""

import json
import os
import socket
import unittest

from smartcard.Exceptions import CardConnectionException
from smartcard.System import readers

SELECT = bytes.fromhex("00A4040008A00000033301010600")
GET_BALANCE = bytes.fromhex("80CA9F7900")


class Hand:
    """The hand that pulls cards: one JSON object a line, one back."""

    def __init__(self):
        line = socket.socket(socket.AF_UNIX)
        line.connect(os.environ["CARDWRIGHT_CONTROL"])
        self.line = line.makefile("rw")
        # The file keeps the connection.
        line.close()

    def __call__(self, do, **what):
        self.line.write(json.dumps({"do": do, **what}) + "\n")
        self.line.flush()
        told = json.loads(self.line.readline())
        assert told["ok"], told["error"]
        return told

    def close(self):
        self.line.close()


class PulledInTheMiddle(unittest.TestCase):
    def test_the_balance_is_read_again(self):
        reader = readers()[0]
        card = reader.createConnection()
        card.connect()
        hand = Hand()
        self.addCleanup(hand.close)

        # The second exchange from now loses its answer: the card acts, and is gone.
        hand("pull", exchange=1, at="answer-lost")
        card.transmit(list(SELECT))
        with self.assertRaises(CardConnectionException):
            card.transmit(list(GET_BALANCE))
        self.assertIsNone(hand("readers")["readers"][0]["atr"])

        hand("insert")
        card = reader.createConnection()
        card.connect()
        for command in [SELECT, GET_BALANCE]:
            _, sw1, sw2 = card.transmit(list(command))
            self.assertEqual((sw1, sw2), (0x90, 0x00))

        # What the card said last, decoded.
        last = hand("events")["events"][-1]
        balance = next(element for element in last["elements"] if element["tag"] == "9F79")
        self.assertEqual(balance["name"], "Electronic Cash Balance")
        self.assertEqual(balance["value"], "000000010000")
        self.assertEqual(hand("card")["card"]["balances"][0]["minor"], 10_000)


if __name__ == "__main__":
    unittest.main()
