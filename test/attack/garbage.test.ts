import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { extent } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import { ping } from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { authenticationMessages, messagesAnywhere, runningMessages } from "./message-fields.js";

/** Allows what can be asked for, so that everything that is asked gets as far as it can. */
class GenerousServer extends TargetServer {
  override getAllowedAuths(): string[] {
    return ["publickey", "password", "keyboard-interactive"];
  }
  override checkChannelEnvRequest(): boolean {
    return true;
  }
  override checkChannelPtyRequest(): boolean {
    return true;
  }
  override checkPortForwardRequest(_address: string, port: number): number | false {
    return port > 0 && port;
  }
}

/** Whether the connection still answers. */
async function goesOn(client: PacketClient): Promise<boolean> {
  client.sendPacket(ping("probe"));
  for (;;) {
    const payload = await client.nextPacket().catch(() => undefined);
    if (payload === undefined || payload[0] === M.DISCONNECT) return false;
    if (payload[0] === M.PONG && payload.subarray(5).toString() === "probe") return true;
  }
}

async function start() {
  const errors: unknown[] = [];
  const quiet = (): void => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: (...entry: unknown[]) => errors.push(entry) };
  const attacked = await Attacked.start(new GenerousServer(), { logger, maxAuthTries: 100 });
  const inAuthentication = () => attacked.authenticating();
  const inSession = async () => {
    const client = await attacked.login();
    await client.openSession();
    return client;
  };
  return { attacked, errors, inAuthentication, inSession };
}

describe("messages", () => {
  it.each(["inAuthentication", "inSession"] as const)("%s, of random bytes", { timeout: 120_000 }, async (phase) => {
    const { attacked, errors, ...reach } = await start();
    let client = await reach[phase]();
    const numberThatLives = fc.oneof(
      fc.constantFrom(
        ...[...authenticationMessages, ...runningMessages, ...messagesAnywhere].map(({ payload }) => payload[0] ?? 0),
      ),
      fc.nat(255),
    );
    await fc.assert(
      fc.asyncProperty(numberThatLives, fc.uint8Array({ maxLength: 64 }), async (number, body) => {
        client.sendPacket(Buffer.concat([Buffer.of(number), body]));
        if (await goesOn(client)) return;
        client.reset();
        client = await reach[phase]();
      }),
      { numRuns: extent(250, 1_000) },
    );
    client.reset();
    expect(errors).toEqual([]);
    await attacked.expectUnharmed();
  });
});

it("a chunk of garbage larger than what may wait to be handled leaves no timer behind", async () => {
  const { attacked, inAuthentication } = await start();
  for (let count = 0; count < 10; count++) {
    const client = await inAuthentication();
    client.sendRaw(Buffer.alloc(1024 * 1024, 0xff));
    await client.stream.closed();
  }
  await attacked.expectUnharmed();
});
