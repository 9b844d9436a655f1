import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelRequest,
  globalRequest,
  keyboardInteractiveRequest,
  passwordChangeRequest,
  ping,
  publickeyQuery,
} from "../support/packet-messages.js";
import { Attacked, HOST_KEY, TargetServer, USERNAME } from "./attacked-server.js";
import { plausibleMessage } from "./plausible-message.js";

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
    return port;
  }
}

const text = (...values: readonly string[]): Buffer => {
  const writer = new Writer();
  for (const value of values) writer.writeString(value);
  return writer.toBuffer();
};
const numbers = (...values: readonly number[]): Buffer => {
  const writer = new Writer();
  for (const value of values) writer.writeUint32(value);
  return writer.toBuffer();
};
const terminal = Buffer.concat([text("xterm"), numbers(80, 24, 0, 0), text("\u0001\0\0\0\u0001\0")]);
const address = Buffer.concat([text("127.0.0.1"), numbers(1)]);

/** Messages of every kind with all their fields, by the phase they belong to. */
const authentication: readonly Buffer[] = [
  plausibleMessage(M.USERAUTH_REQUEST, 0),
  plausibleMessage(M.USERAUTH_INFO_RESPONSE, 0),
  passwordChangeRequest(USERNAME, "old", "new"),
  keyboardInteractiveRequest(USERNAME, "submethods"),
  publickeyQuery({ username: USERNAME, algorithm: "ssh-ed25519", publicBlob: HOST_KEY.publicBlob }),
];
const running: readonly Buffer[] = [
  ...[M.CHANNEL_OPEN, M.CHANNEL_WINDOW_ADJUST, M.CHANNEL_DATA, M.CHANNEL_EXTENDED_DATA, M.CHANNEL_EOF].map((number) =>
    plausibleMessage(number, 0),
  ),
  plausibleMessage(M.CHANNEL_CLOSE, 0),
  channelRequest(0, "exec", "want-reply", text("hold")),
  channelRequest(0, "subsystem", "want-reply", text("sftp")),
  channelRequest(0, "env", "want-reply", text("NAME", "value")),
  channelRequest(0, "pty-req", "want-reply", terminal),
  channelRequest(0, "window-change", "want-reply", numbers(80, 24, 0, 0)),
  channelRequest(0, "signal", "want-reply", text("INT")),
  channelRequest(0, "break", "want-reply", numbers(1000)),
  channelRequest(0, "x11-req", "want-reply", Buffer.concat([Buffer.of(0), text("MIT", "00"), numbers(0)])),
  channelRequest(0, "eow@openssh.com", "no-reply"),
  globalRequest("tcpip-forward", "want-reply", address),
  globalRequest("cancel-tcpip-forward", "want-reply", address),
  globalRequest("no-more-sessions@openssh.com", "want-reply"),
];
const anywhere: readonly Buffer[] = [
  ...[M.DISCONNECT, M.IGNORE, M.UNIMPLEMENTED, M.DEBUG, M.SERVICE_REQUEST].map((number) => plausibleMessage(number, 0)),
  ping("data"),
];

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

describe("malformed messages", () => {
  it.each<[phase: "inAuthentication" | "inSession", messages: readonly Buffer[]]>([
    ["inAuthentication", [...authentication, ...anywhere]],
    ["inSession", [...running, ...anywhere]],
  ])("%s, cut at every byte or with one too many", { timeout: 120_000 }, async (phase, messages) => {
    const { attacked, errors, ...reach } = await start();
    let client = await reach[phase]();
    for (const whole of messages) {
      const variants = Array.from({ length: whole.length - 1 }, (_, length) => whole.subarray(0, length + 1));
      for (const variant of [...variants, Buffer.concat([whole, Buffer.of(0)])]) {
        client.sendPacket(variant);
        if (await goesOn(client)) continue;
        client.reset();
        client = await reach[phase]();
      }
    }
    client.reset();
    // What a peer sends is never the fault of a hook or of the server.
    expect(errors).toEqual([]);
    await attacked.expectUnharmed();
  });

  it.each(["inAuthentication", "inSession"] as const)("%s, of random bytes", { timeout: 120_000 }, async (phase) => {
    const { attacked, errors, ...reach } = await start();
    let client = await reach[phase]();
    const numberThatLives = fc.oneof(
      fc.constantFrom(...[...authentication, ...running, ...anywhere].map((payload) => payload[0] ?? 0)),
      fc.nat(255),
    );
    await fc.assert(
      fc.asyncProperty(numberThatLives, fc.uint8Array({ maxLength: 64 }), async (number, body) => {
        client.sendPacket(Buffer.concat([Buffer.of(number), body]));
        if (await goesOn(client)) return;
        client.reset();
        client = await reach[phase]();
      }),
      { numRuns: 1_000 },
    );
    client.reset();
    expect(errors).toEqual([]);
    await attacked.expectUnharmed();
  });
});
