/**
 * Lets in whom an authority has certified for a role, without knowing a single user's key.
 *
 *   ssh-keygen -t ed25519 -f user_ca
 *   ssh-keygen -s user_ca -I ann@laptop -n release-manager -V +1h ~/.ssh/id_ed25519.pub
 *   USER_CA=user_ca.pub npx tsx examples/certificate-server.ts
 *   ssh -p 2222 deploy@localhost whoami
 */
import { type Channel, SSHServer, SSHServerManager, trustedUserCAs } from "spindlex";
import { PKey } from "spindlex/crypto";
import { OPEN_FAILED_UNKNOWN_CHANNEL_TYPE, OPEN_SUCCEEDED } from "spindlex/protocol/constants";

/** Which principals of a certificate may log in as which user; lines as of sshd's AuthorizedPrincipalsFile. */
const PRINCIPALS = new Map([
  ["deploy", "release-manager\n"],
  ["backup", 'restrict,command="backup" operator\nrestrict,command="backup" release-manager\n'],
]);

class CertificateServer extends SSHServer {
  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const { username, identity } = channel.connection;
    const [key] = identity?.publicKeys ?? [];
    // Everything an authority has written is harmless here only once it is quoted.
    const keyId = JSON.stringify(key?.certificate?.keyId);
    channel.send(`${command.toString("utf8")}: ${keyId} as ${username}\n`);
    channel.sendExitStatus(0);
    channel.close();
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new CertificateServer({
    authentication: {
      publicKey: trustedUserCAs(
        { file: process.env.USER_CA ?? "user_ca.pub" },
        { principals: (username) => PRINCIPALS.get(username) },
      ),
    },
  }),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);
