import { hashPassword } from "../../src/authenticators/index.js";
import { PKey } from "../../src/crypto/index.js";
import { authorizedKeys, passwordFile, SSHServer, SSHServerManager } from "../../src/index.js";

/** A server with one user, for login-time.ts: `login-time-server.ts USER DELAY`; tells its port to the parent process. */
const [user = "", delay = ""] = process.argv.slice(2);
const key = PKey.generate({ keyType: "ed25519" }).toPublicString();
const server = new SSHServer({
  authentication: {
    password: passwordFile(`${user}:${await hashPassword("secret")}`),
    publicKey: authorizedKeys((username) => (username === user ? key : undefined)),
  },
});
const manager = new SSHServerManager({
  serverInterface: server,
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  maxAuthTries: 100,
  authFailureDelay: Number(delay),
});
await manager.startServer();
process.send?.(manager.port);
process.once("disconnect", () => process.exit());
