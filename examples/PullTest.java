import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.smartcardio.Card;
import javax.smartcardio.CardException;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.ResponseAPDU;
import javax.smartcardio.TerminalFactory;

/**
 * A test of a program that uses javax.smartcardio: the card is pulled in the middle of a
 * transaction, comes back, and still holds what it held.
 *
 * <pre>cardwright pcsclite --control /tmp/cards -- java examples/PullTest.java</pre>
 */
public class PullTest {
    static final CommandAPDU SELECT = apdu("00A4040008A00000033301010600");
    static final CommandAPDU GET_BALANCE = apdu("80CA9F7900");

    public static void main(String[] arguments) throws Exception {
        CardTerminal terminal = TerminalFactory.getDefault().terminals().list().get(0);
        Card card = terminal.connect("*");
        try (Hand hand = new Hand()) {
            card.beginExclusive();
            // The second exchange from now loses its answer: the card acts, and is gone.
            hand.ask("{\"do\": \"pull\", \"exchange\": 1, \"at\": \"answer-lost\"}");
            card.getBasicChannel().transmit(SELECT);
            try {
                card.getBasicChannel().transmit(GET_BALANCE);
                throw new AssertionError("the card was pulled, and an answer came");
            } catch (CardException expected) {
                System.out.println("pulled: " + expected.getCause().getMessage());
            }
            check(!terminal.isCardPresent(), "no card is in the reader");

            hand.ask("{\"do\": \"insert\"}");
            card.disconnect(false);
            card = terminal.connect("*");
            card.getBasicChannel().transmit(SELECT);
            ResponseAPDU response = card.getBasicChannel().transmit(GET_BALANCE);
            check(response.getSW() == 0x9000, "the balance is read");

            // What the card said, decoded, in the order of the keys' names.
            String said = hand.ask("{\"do\": \"events\"}");
            String balance = "\"name\":\"Electronic Cash Balance\",\"tag\":\"9F79\",\"value\":\"000000010000\"";
            check(said.contains(balance), "a decoded balance of 100.00 in " + said);
            System.out.println("done");
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected: " + what);
        }
    }

    static CommandAPDU apdu(String hex) {
        return new CommandAPDU(HexFormat.of().parseHex(hex));
    }

    /** The hand that pulls cards: one JSON object a line, one back. */
    static class Hand implements AutoCloseable {
        private final SocketChannel line = SocketChannel.open(StandardProtocolFamily.UNIX);
        private final BufferedReader answers;

        Hand() throws IOException {
            line.connect(UnixDomainSocketAddress.of(System.getenv("CARDWRIGHT_CONTROL")));
            answers = new BufferedReader(Channels.newReader(line, StandardCharsets.UTF_8));
        }

        String ask(String request) throws IOException {
            line.write(ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8)));
            String answer = answers.readLine();
            check(answer.endsWith("\"ok\":true}"), "ok for " + request + ", found " + answer);
            return answer;
        }

        @Override
        public void close() throws IOException {
            line.close();
        }
    }
}
