import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { PKey } from "../../../src/crypto/index.js";
import { AgentMessage } from "../../../src/forwarding/agent/messages.js";
import { framed } from "../../forwarding/agent/agent-answers.js";
import { type Answerer, answerWith } from "../../forwarding/agent/test-agent.js";
import { connected, type Place } from "../../forwarding/listening-client.js";
import { TOOLS } from "../../support/clients.js";
import { freePort } from "../../support/free-port.js";
import { run } from "../../support/tools.js";

/**
 * Sends data to an echo.
 *
 * @returns what comes back, up to its end; all the same if the connection is reset
 */
export async function sentThrough(
  place: Place,
  data: Buffer | string,
  ends: "before the answer" | "after the answer",
): Promise<Buffer> {
  const socket = await connected(place);
  socket.write(data);
  if (ends === "before the answer") socket.end();
  const pieces: Buffer[] = [];
  let length = 0;
  socket.on("data", (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    if (length === data.length) socket.end();
  });
  await new Promise<void>((resolve) => socket.on("error", () => {}).on("close", () => resolve()));
  return Buffer.concat(pieces);
}

/**
 * Has curl send data to a web server that answers with it, and then to a port that nobody listens on, by SOCKS 5.
 *
 * @returns how curl ends, and the first answer
 */
export async function sentBySocks(
  proxyPort: number,
  data: Buffer,
): Promise<{ code: number | undefined; answer: Buffer }> {
  const web = createWebServer((request, response) => request.pipe(response)).listen(0, "127.0.0.1");
  await once(web, "listening");
  const proxy = ["-sS", "--socks5-hostname", `127.0.0.1:${proxyPort}`];
  const post = [...proxy, "--data-binary", "@-", `http://127.0.0.1:${(web.address() as AddressInfo).port}/`];
  const toNobody = [...proxy, `http://127.0.0.1:${await freePort()}/`];
  const { code, stdout } = await run(TOOLS.curl, [...post, "--next", ...toNobody], { input: data });
  web.close();
  return { code, answer: stdout };
}

/** Has an agent answer for one key, and refuse what is not about keys, such as the version that Net::SSH asks for. */
export function answerAs(key: PKey): Answerer {
  const answer = answerWith(key);
  return (request, socket) => {
    const isAboutKeys = [AgentMessage.REQUEST_IDENTITIES, AgentMessage.SIGN_REQUEST].some(
      (type) => type === request[0],
    );
    if (isAboutKeys) answer(request, socket);
    else socket.write(framed(Buffer.of(AgentMessage.FAILURE)));
  };
}
