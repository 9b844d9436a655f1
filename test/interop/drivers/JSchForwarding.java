import com.jcraft.jsch.Channel;
import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Forwards with JSch what it is asked to: README.md beside this file tells what that is, and how it answers.
 * AGENT_KEY is a file with the key that is in its agent: JSch does not use that of OpenSSH.
 */
public class JSchForwarding {
    private static final int TIMEOUT = 20_000;
    private final Session session;

    public static void main(String[] values) throws Exception {
        JSchForwarding client = new JSchForwarding(values);
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line; (line = requests.readLine()) != null; ) {
            try {
                System.out.println("done\t" + client.carryOut(line.split("\t", -1)));
            } catch (JSchException error) {
                System.out.println("error\t" + error.getMessage());
            }
        }
        client.session.disconnect();
    }

    private JSchForwarding(String[] values) throws JSchException {
        JSch library = new JSch();
        library.setKnownHosts(values[2]);
        library.addIdentity(System.getenv("AGENT_KEY"));
        session = library.getSession(values[1], "127.0.0.1", Integer.parseInt(values[0]));
        session.setPassword(values[3]);
        session.setConfig("PreferredAuthentications", "password");
        session.setConfig("StrictHostKeyChecking", "yes");
        String[] display = System.getenv("DISPLAY").split(":");
        session.setX11Host(display[0]);
        session.setX11Port(6000 + Integer.parseInt(display[1]));
        session.setX11Cookie("00112233445566778899aabbccddeeff");
        session.connect(TIMEOUT);
    }

    private String carryOut(String[] words) throws Exception {
        switch (words[0]) {
            case "connect": exchange(words[1], Integer.parseInt(words[2]), Path.of(words[3]), Path.of(words[4])); return "";
            case "forward": return "" + session.setPortForwardingL(0, words[1], Integer.parseInt(words[2]));
            case "listen": return "" + session.setPortForwardingR(words[1] + ":" + words[2] + ":" + words[3]);
            case "cancel": session.delPortForwardingR(words[1], Integer.parseInt(words[2])); return "";
            case "session": return session();
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    private void exchange(String host, int port, Path source, Path got) throws Exception {
        Channel channel = session.getStreamForwarder(host, port);
        InputStream input = channel.getInputStream();
        OutputStream output = channel.getOutputStream();
        channel.connect(TIMEOUT);
        Files.copy(source, output);
        output.close();
        Files.copy(input, got);
        channel.disconnect();
    }

    private String session() throws Exception {
        ChannelExec channel = (ChannelExec) session.openChannel("exec");
        channel.setAgentForwarding(true);
        channel.setXForwarding(true);
        channel.setCommand("use");
        InputStream output = channel.getInputStream();
        channel.connect(TIMEOUT);
        return new String(output.readAllBytes(), UTF_8);
    }
}
