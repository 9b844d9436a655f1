import { connect, type Socket } from "node:net";
import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cipherAlgorithms, macAlgorithms } from "../../src/crypto/cipher/registry.js";
import { keyExchangeAlgorithms } from "../../src/crypto/kex/registry.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { type AlgorithmPreferences, resolveAlgorithms } from "../../src/transport/algorithms.js";
import { clientRole } from "../../src/transport/client-role.js";
import { Transport } from "../../src/transport/transport.js";
import { needs } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import {
  globalRequest,
  type PublickeyRequest,
  publickeyProof,
  publickeySignedData,
  serviceRequest,
} from "../support/packet-messages.js";
import { installedSshds, SSHD_VERSIONS, SshdOracle } from "../support/sshd-oracle.js";
import { temporaryFolder } from "../support/tools.js";

const userKey = PKey.generate({ keyType: "ed25519" });

/** The machine in the client's role, on a socket. */
class SocketClient implements Disposable {
  readonly transport: Transport;
  readonly offeredKeys: PKey[] = [];
  extensions: ReadonlyMap<string, string> = new Map();
  readonly #socket: Socket;
  readonly #messages: Buffer[] = [];
  #exchanges = 0;
  #failure: unknown;
  #wake: () => void = () => {};

  constructor(port: number, algorithms: Partial<AlgorithmPreferences>) {
    this.#socket = connect(port, "127.0.0.1");
    const wake = () => this.#wake();
    const role = clientRole({
      acceptHostKey: (key) => {
        this.offeredKeys.push(key);
        return true;
      },
      extensionsReceived: (extensions) => {
        this.extensions = extensions;
      },
    });
    const identification = "SSH-2.0-spindlex_test";
    this.transport = new Transport(
      { role, identification, algorithms: resolveAlgorithms(algorithms), rekeyBytes: Number.POSITIVE_INFINITY },
      {
        output: (bytes, done) => this.#socket.write(bytes, done),
        message: (payload) => {
          // What follows it may be compressed, so it cannot wait.
          if (payload[0] === M.USERAUTH_SUCCESS) {
            this.transport.enter("running");
            this.transport.startDelayedCompression();
          }
          this.#messages.push(Buffer.from(payload));
          wake();
        },
        keyExchangeStarted: () => {},
        keyExchangeFinished: () => {
          this.#exchanges++;
          wake();
        },
        ready: () => {},
        acceptsMessages: () => true,
        caughtUp: () => {},
        disconnected: (reason, description) => this.#fail(new Error(`disconnected: ${reason} ${description}`)),
        failed: (error) => this.#fail(error),
      },
    );
    this.#socket.on("data", (chunk) => this.transport.receive(chunk));
    this.#socket.on("close", () => this.#fail(new Error("the connection is closed")));
    this.#socket.on("error", () => {});
    this.transport.start();
  }

  async keysExchanged(times: number): Promise<void> {
    await this.#until(() => this.#exchanges >= times || undefined);
  }

  /** The next message with this number; others are dropped. */
  expect(number: number): Promise<Buffer> {
    return this.#until(() => {
      const index = this.#messages.findIndex(([found]) => found === number);
      return index === -1 ? undefined : this.#messages.splice(0, index + 1).at(-1);
    });
  }

  async logIn(): Promise<void> {
    const { transport } = this;
    await this.keysExchanged(1);
    transport.send(serviceRequest("ssh-userauth"));
    await this.expect(M.SERVICE_ACCEPT);
    transport.enter("authentication");
    const request: PublickeyRequest = {
      username: userInfo().username,
      algorithm: "ssh-ed25519",
      publicBlob: userKey.publicBlob,
    };
    const signed = publickeySignedData(transport.sessionId ?? Buffer.alloc(0), request);
    transport.send(publickeyProof(request, userKey.sign(signed)));
    await this.expect(M.USERAUTH_SUCCESS);
  }

  /** Has the server answer, under the keys of this moment. */
  async ask(): Promise<void> {
    this.transport.send(globalRequest("nothing@example.com", "want-reply", Buffer.alloc(1000)));
    await this.expect(M.REQUEST_FAILURE);
  }

  [Symbol.dispose](): void {
    this.transport.close();
    this.#socket.destroy();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const methods = [...keyExchangeAlgorithms.keys()];
/** Later than OpenSSH 9.2. */
const NEWER_METHODS = ["mlkem768x25519-sha256", "sntrup761x25519-sha512"];
const INTEGER_METHODS = methods.filter((name) => name.startsWith("diffie-hellman"));

for (const version of SSHD_VERSIONS.filter((one) => isLong || one === installedSshds().at(-1))) {
  describe(`the client's role with ${version}`, needs(version), () => {
    const folder = temporaryFolder();
    let sshd: SshdOracle | undefined;
    let port = 0;

    beforeAll(async () => {
      sshd = await SshdOracle.start(folder, version, [`KexAlgorithms +${INTEGER_METHODS.join(",")}`]);
      port = await sshd.serve({ authorizedKeys: `${userKey.toPublicString()}\n` });
    });
    afterAll(() => sshd?.[Symbol.dispose]());

    /** A login, new keys asked for by the client, and answers under each. */
    async function expectWhole(algorithms: Partial<AlgorithmPreferences>): Promise<void> {
      using client = new SocketClient(port, algorithms);
      await client.logIn();
      await client.ask();
      client.transport.rekey();
      await client.ask();
      await client.keysExchanged(2);
      expect(client.offeredKeys.map(({ keyType }) => keyType)).toEqual(["ssh-ed25519", "ssh-ed25519"]);
      expect(client.extensions.get("server-sig-algs")?.split(",")).toContain("ssh-ed25519");
    }

    it.each(methods.filter((name) => version === "sshd10" || !NEWER_METHODS.includes(name)))(
      "exchanges keys by %s",
      (name) => expectWhole({ kex: [name] }),
    );

    it("protects packets by each cipher and MAC", async () => {
      const kex = ["curve25519-sha256"];
      for (const cipher of cipherAlgorithms.keys()) await expectWhole({ kex, cipher: [cipher] });
      for (const mac of macAlgorithms.keys()) await expectWhole({ kex, cipher: ["aes128-ctr"], mac: [mac] });
    });

    it("compresses after the login", () => expectWhole({ compression: ["zlib@openssh.com"] }));
  });
}
