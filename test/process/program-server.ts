import { expect, onTestFinished } from "vitest";
import {
  type Channel,
  type Logger,
  type ProgramCommand,
  type ProgramEnd,
  type ProgramOptions,
  runProgram,
} from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { createManager, PASSWORD, TestServer, USERNAME } from "../server/test-server.js";
import { type OpenedChannel, PacketClient } from "../support/packet-client.js";
import { channelRequest, execRequest, readChannelData, windowAdjust } from "../support/packet-messages.js";

/** Told that it is the inner of two, bash does not read the .bashrc of the user who runs the tests for each command. */
const INNER_SHELL = { SHLVL: "1" };

/** Runs what clients ask for, each command in a shell unless `command` says otherwise. */
export class ProgramServer extends TestServer {
  readonly #command: (text: string) => ProgramCommand;
  readonly #options: ProgramOptions;
  /** How the programs have ended, in the order in which they were started. */
  readonly ends: Promise<ProgramEnd>[] = [];
  /** Process groups of programs that were started. */
  readonly groups: number[] = [];

  constructor(options: ProgramOptions = {}, command: (text: string) => ProgramCommand = (shell) => ({ shell })) {
    super();
    this.#options = options;
    this.#command = command;
  }

  override checkChannelPtyRequest(): boolean {
    return true;
  }

  override checkChannelWindowChangeRequest(): boolean {
    return true;
  }

  override checkChannelEnvRequest(): boolean {
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    this.#run(channel, this.#command(command.toString()));
    return true;
  }

  override checkChannelShellRequest(channel: Channel): boolean {
    this.#run(channel, { loginShell: true });
    return true;
  }

  #run(channel: Channel, command: ProgramCommand): void {
    const { env, ...options } = this.#options;
    const inner = options.account === undefined ? INNER_SHELL : {};
    const started = (pid: number) => void this.groups.push(pid);
    const end = runProgram(channel, command, { ...options, env: { ...inner, ...env }, started });
    this.ends.push(end);
    end.then(
      (known) => {
        if (channel.signal.aborted) return;
        if ("status" in known) channel.sendExitStatus(known.status);
        else channel.sendExitSignal(known.signal);
        channel.close();
      },
      (error) => channel.destroy(error),
    );
  }
}

export interface ProgramClient<Server> {
  readonly client: PacketClient;
  readonly server: Server;
  /** Level and fields of each line. */
  readonly lines: Record<string, unknown>[];
}

/** A server on loopback, and a client that has logged in. Both are gone when the test is over. */
export async function programClient(): Promise<ProgramClient<ProgramServer>>;
export async function programClient<Server extends TestServer>(server: Server): Promise<ProgramClient<Server>>;
export async function programClient(server: TestServer = new ProgramServer()): Promise<ProgramClient<TestServer>> {
  const lines: Record<string, unknown>[] = [];
  const write = (level: string) => (fields: object, msg: string) => void lines.push({ level, msg, ...fields });
  const logger: Logger = { debug: () => {}, info: write("info"), warn: write("warn"), error: write("error") };
  const manager = createManager({ serverInterface: server, logger });
  await manager.startServer();
  const client = await PacketClient.login(manager.port, USERNAME, PASSWORD);
  onTestFinished(() => client.close());
  return { client, server, lines };
}

export interface TerminalRequest {
  readonly term?: string | Buffer;
  readonly width?: number;
  readonly height?: number;
  /** Opcodes of RFC 4254 §8 with their values. */
  readonly modes?: readonly (readonly [opcode: number, value: number])[];
}

/** Asks for a terminal. */
export async function requestTerminal(
  client: PacketClient,
  { id }: OpenedChannel,
  { term = "xterm", width = 80, height = 24, modes = [] }: TerminalRequest = {},
): Promise<void> {
  const encoded = new Writer();
  for (const [opcode, value] of modes) encoded.writeByte(opcode).writeUint32(value);
  const fields = new Writer()
    .writeString(term)
    .writeUint32(width)
    .writeUint32(height)
    .writeUint32(0)
    .writeUint32(0)
    .writeString(encoded.writeByte(0).toBuffer());
  client.sendPacket(channelRequest(id, "pty-req", "want-reply", fields.toBuffer()));
  await client.expect(MessageNumber.CHANNEL_SUCCESS);
}

export const windowChange = ({ id }: OpenedChannel, width: number, height: number): Buffer =>
  channelRequest(
    id,
    "window-change",
    "no-reply",
    new Writer().writeUint32(width).writeUint32(height).writeUint32(0).writeUint32(0).toBuffer(),
  );

export const signalRequest = ({ id }: OpenedChannel, name: string): Buffer =>
  channelRequest(id, "signal", "no-reply", new Writer().writeString(name).toBuffer());

export const breakRequest = ({ id }: OpenedChannel): Buffer =>
  channelRequest(id, "break", "no-reply", new Writer().writeUint32(500).toBuffer());

/** Asks for a command, and waits for the reply. */
export async function startCommand(client: PacketClient, { id }: OpenedChannel, command: string): Promise<void> {
  client.sendPacket(execRequest(id, command));
  await client.expect(MessageNumber.CHANNEL_SUCCESS, { skip: [MessageNumber.CHANNEL_WINDOW_ADJUST] });
}

/** What was read and stands behind all that was waited for. */
const unseen = new WeakMap<PacketClient, string>();

/** Reads output until the pattern is there; what stands behind it is for the next call. */
export async function shown(client: PacketClient, pattern: RegExp): Promise<RegExpExecArray> {
  let text = unseen.get(client) ?? "";
  for (;;) {
    const found = pattern.exec(text);
    if (found !== null) {
      unseen.set(client, text.slice(found.index + found[0].length));
      return found;
    }
    const payload = await client.nextPacket().catch((error: unknown) => {
      throw new Error(`${pattern} was not shown: ${JSON.stringify(text)}`, { cause: error });
    });
    if (payload[0] === MessageNumber.CHANNEL_DATA) text += readChannelData(payload).toString("latin1");
    if (payload[0] === MessageNumber.CHANNEL_CLOSE)
      throw new Error(`the channel was closed before ${pattern}: ${text}`);
  }
}

/** Reads so many bytes of output, for which the client gives window in amounts that no packet ends with. */
export async function readInSmallWindows(
  client: PacketClient,
  channel: OpenedChannel,
  firstWindow: number,
  length: number,
): Promise<string> {
  let output = "";
  for (let granted = firstWindow; output.length < length; ) {
    output += readChannelData(await client.expect(MessageNumber.CHANNEL_DATA)).toString("latin1");
    if (output.length < granted) continue;
    const bytes = output.length % 2 === 0 ? 30_001 : 70_001;
    client.sendPacket(windowAdjust(channel.id, bytes));
    granted += bytes;
  }
  return output;
}

/** The request that tells how a program has ended, and its first field: a status or the name of a signal. */
export function readEnd(payload: Buffer): { readonly kind: string; readonly value: number | string } {
  const reader = new Reader(payload, 5);
  const kind = reader.readText();
  reader.readBoolean();
  return { kind, value: kind === "exit-status" ? reader.readUint32() : reader.readText() };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function untilGone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 10_000, interval: 20 }).toBe(false);
}
