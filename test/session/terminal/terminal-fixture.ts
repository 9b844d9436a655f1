import type { PseudoTerminal, SessionChannel } from "../../../src/session/session-channel.js";
import { createTerminal, type SessionTerminal } from "../../../src/session/terminal/session-terminal.js";
import { inputOf, openTestChannel, type TestChannelOptions, type TestLink } from "../../connection/test-channel.js";

export const PTY: PseudoTerminal = {
  term: Buffer.from("xterm-256color"),
  width: 100,
  height: 30,
  pixelWidth: 0,
  pixelHeight: 0,
  modes: new Map(),
};

export interface TestTerminal {
  readonly terminal: SessionTerminal;
  readonly channel: SessionChannel;
  readonly link: TestLink;
  /** The signals that were typed. */
  readonly signals: string[];
  /** What the client has got on its screen. */
  screen(): string;
  /** The client types. */
  type(keys: string | Buffer): void;
  resize(width: number, height: number): void;
}

/** A terminal on a channel whose other end is the test's. */
export function openTestTerminal(
  pty: Partial<PseudoTerminal> = {},
  options: TestChannelOptions & { readonly kind?: "session" } = {},
): TestTerminal {
  const { channel, link } = openTestChannel(options);
  channel.pty = { ...PTY, ...pty };
  const signals: string[] = [];
  const terminal = createTerminal(channel, { signal: (name) => signals.push(name) });
  return {
    terminal,
    channel,
    link,
    signals,
    screen: () => link.received.map((message) => message.replace(/^data /, "")).join(""),
    type: (keys) => inputOf(channel).receiveData(Buffer.from(keys)),
    resize: (width, height) => {
      channel.pty = { ...PTY, width, height };
      channel.emit("resize", channel.pty);
    },
  };
}
