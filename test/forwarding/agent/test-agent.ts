import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { PKey } from "../../../src/crypto/pkey/pkey.js";
import { MessageAssembler } from "../../../src/forwarding/agent/message-assembler.js";
import { AgentMessage } from "../../../src/forwarding/agent/messages.js";
import { temporaryFolder } from "../../support/tools.js";
import { framed, identitiesAnswer, signResponse } from "./agent-answers.js";

/** Does with one request, which has no length in front, what it likes. */
export type Answerer = (request: Buffer, socket: Socket) => void;

let made = 0;

/** An agent of the test's own at a socket, which is closed after the tests of the file. */
export class TestAgent {
  readonly requests: Buffer[] = [];
  readonly sockets: Socket[] = [];
  readonly path: string;
  answer: Answerer = (_request, socket) => socket.write(framed(Buffer.of(AgentMessage.FAILURE)));
  readonly #server = createServer((socket) => this.#accept(socket));

  constructor(folder: string) {
    this.path = join(folder, `test-agent-${++made}`);
  }

  /** Call it where tests are declared. */
  static start(): TestAgent {
    const agent = new TestAgent(temporaryFolder());
    agent.#server.listen(agent.path);
    afterAll(() => {
      agent.#server.close();
      for (const socket of agent.sockets) socket.destroy();
    });
    return agent;
  }

  readonly open = async (signal?: AbortSignal): Promise<Socket> => {
    const socket = connect({ path: this.path, ...(signal && { signal }) });
    await once(socket, "connect");
    return socket;
  };

  /** Waits until the last connection is closed, by whomever. */
  async lastGone(): Promise<void> {
    const socket = this.sockets.at(-1);
    if (socket === undefined || socket.destroyed) return;
    await new Promise((resolve) => socket.once("close", resolve));
  }

  #accept(socket: Socket): void {
    let assembler = new MessageAssembler();
    this.sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const request = assembler.push(chunk);
      if (request === undefined) return;
      assembler = new MessageAssembler();
      this.requests.push(request);
      this.answer(request, socket);
    });
  }
}

/** Answers each request by what is right for one key, whose signatures are by one algorithm. */
export function answerWith(key: PKey, algorithm?: string): Answerer {
  return (request, socket) => {
    const fields = readSignRequest(request);
    const answer =
      fields === undefined
        ? identitiesAnswer([{ publicBlob: key.publicBlob, comment: "a key" }])
        : signResponse(key.sign(fields.data, algorithm));
    socket.write(framed(answer));
  };
}

export function readSignRequest(request: Buffer): { data: Buffer; flags: number } | undefined {
  if (request[0] !== AgentMessage.SIGN_REQUEST) return undefined;
  const blobEnd = 5 + request.readUInt32BE(1);
  const dataEnd = blobEnd + 4 + request.readUInt32BE(blobEnd);
  return { data: request.subarray(blobEnd + 4, dataEnd), flags: request.readUInt32BE(dataEnd) };
}
