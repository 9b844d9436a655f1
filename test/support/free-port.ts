import { once } from "node:events";
import { createServer } from "node:net";

const given = new Set<number>();

/**
 * A port of 127.0.0.1 that nobody listens on, for programs that take no port 0. The system may choose one again that is
 * not used yet; this gives each once.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const address = probe.address();
    probe.close();
    await once(probe, "close");
    if (typeof address !== "object" || address === null) throw new Error("no port");
    if (given.has(address.port)) continue;
    given.add(address.port);
    return address.port;
  }
}
