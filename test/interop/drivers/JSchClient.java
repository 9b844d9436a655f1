import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.SftpException;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Carries out operations with JSch, one after the other over one connection.
 * README.md beside this file tells what it is given, line by line, and what it puts out.
 */
public class JSchClient {
    private static final int TIMEOUT = 20_000;
    private final Session session;
    private ChannelSftp files;

    public static void main(String[] values) throws Exception {
        JSchClient client = new JSchClient(values);
        BufferedReader operations = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line; (line = operations.readLine()) != null; ) {
            String[] fields = line.split("\t", -1);
            for (int i = 0; i < fields.length; i++) fields[i] = URLDecoder.decode(fields[i], UTF_8);
            try {
                System.out.println(client.carryOut(fields));
            } catch (SftpException error) {
                System.out.println("error" + encoded(error.getMessage()));
            }
        }
        client.session.disconnect();
    }

    private JSchClient(String[] values) throws JSchException {
        JSch library = new JSch();
        library.setKnownHosts(values[2]);
        session = library.getSession(values[1], "127.0.0.1", Integer.parseInt(values[0]));
        if (values[3].equals("key")) {
            library.addIdentity(values[4]);
        } else {
            session.setPassword(values[4]);
        }
        session.setConfig("PreferredAuthentications", values[3].equals("key") ? "publickey" : "password");
        session.setConfig("StrictHostKeyChecking", "yes");
        session.connect(TIMEOUT);
    }

    private String carryOut(String[] fields) throws Exception {
        if (fields[0].equals("exec")) return exec(fields[1], fields[2]);
        if (files == null) {
            files = (ChannelSftp) session.openChannel("sftp");
            files.connect(TIMEOUT);
        }
        switch (fields[0]) {
            case "put": files.put(fields[1], fields[2]); break;
            case "get": files.get(fields[1], fields[2]); break;
            case "append":
                files.put(new ByteArrayInputStream(fields[2].getBytes(UTF_8)), fields[1], ChannelSftp.APPEND);
                break;
            case "symlink": files.symlink(fields[1], fields[2]); break;
            case "hardlink": files.hardlink(fields[1], fields[2]); break;
            case "mkdir": files.mkdir(fields[1]); break;
            case "rename": files.rename(fields[1], fields[2]); break;
            case "remove": files.rm(fields[1]); break;
            case "list": return "list" + list(fields[1]);
            case "readlink": return "text" + encoded(files.readlink(fields[1]));
            default: throw new IllegalArgumentException(fields[0]);
        }
        return "null";
    }

    private String exec(String command, String input) throws Exception {
        ChannelExec channel = (ChannelExec) session.openChannel("exec");
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        channel.setCommand(command);
        channel.setInputStream(new ByteArrayInputStream(input.getBytes(UTF_8)));
        channel.setErrStream(errors);
        InputStream output = channel.getInputStream();
        channel.connect(TIMEOUT);
        String text = new String(output.readAllBytes(), UTF_8);
        while (!channel.isClosed()) Thread.sleep(5);
        return "exec\t" + channel.getExitStatus() + encoded(text) + encoded(errors.toString(UTF_8));
    }

    private String list(String path) throws SftpException {
        List<String> names = new ArrayList<>();
        for (Object entry : files.ls(path)) names.add(((ChannelSftp.LsEntry) entry).getFilename());
        names.removeAll(List.of(".", ".."));
        Collections.sort(names);
        StringBuilder list = new StringBuilder();
        for (String name : names) list.append(encoded(name));
        return list.toString();
    }

    private static String encoded(String text) {
        return "\t" + URLEncoder.encode(text, UTF_8).replace("+", "%20");
    }
}
