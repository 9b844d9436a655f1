import { createRequire } from "node:module";
import { type AddressInfo, connect } from "node:net";
import ssh2 from "ssh2";
import { readSettings, reportTo, runCommand } from "./harness.js";
import { serveSFTP } from "./ssh2-sftp.js";

declare module "ssh2" {
  interface Connection {
    /** Documented, but not in the types. */
    setNoDelay(noDelay: boolean): this;
  }
}

const settings = readSettings();
const require = createRequire(import.meta.url);
const authorizedKeys = settings.authorizedKeys.map(({ line, blob }) => {
  const key = ssh2.utils.parseKey(line);
  if (key instanceof Error) throw key;
  return { key, blob };
});

const server = new ssh2.Server({ hostKeys: [settings.hostKey] }, (client) => {
  client.on("authentication", (context) => {
    const offered = context.method === "publickey" ? context.key.data : undefined;
    const known = authorizedKeys.find(({ blob }) => offered?.equals(blob));
    const authorized =
      context.method === "publickey" &&
      context.username === settings.username &&
      known !== undefined &&
      // The first of two requests only asks whether the key would do. What ssh2 leaves to its user, spindlex does itself.
      (context.signature === undefined ||
        (context.blob !== undefined && known.key.verify(context.blob, context.signature, context.hashAlgo) === true));
    if (authorized) context.accept();
    else context.reject(["publickey"]);
  });
  client.on("session", (acceptSession) => {
    const session = acceptSession();
    session.on("sftp", (acceptSFTP) => {
      client.setNoDelay(true); // Uploads take five times as long without; output is faster without.
      serveSFTP(acceptSFTP(), settings.servedFolder);
    });
    session.on("exec", (acceptExec, _reject, { command }) => {
      if (command === "echo") client.setNoDelay(true); // What is sent beside a transfer waits for its acknowledgements without.
      const channel = acceptExec();
      runCommand(channel, command, () => {
        channel.exit(0);
        channel.end();
      });
    });
  });
  client.on("tcpip", (accept, _reject, { destIP, destPort }) => {
    const target = connect({ host: destIP, port: destPort, allowHalfOpen: true, noDelay: true });
    target.once("connect", () => {
      const channel = accept();
      channel.pipe(target).pipe(channel);
    });
  });
  client.on("error", () => {}); // A client that ends without a farewell is no error here.
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  const { version }: { version: string } = require("ssh2/package.json");
  reportTo(process, { port, description: `ssh2 ${version}, native addon ${nativeAddon()}` });
});

function nativeAddon(): string {
  try {
    require("ssh2/lib/protocol/crypto/build/Release/sshcrypto.node");
    return "built";
  } catch {
    return "NOT BUILT: slower than it could be";
  }
}
