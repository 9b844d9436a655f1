import type { Places, Ports } from "./places.js";

/** A port by its name, 0, or a number that is 65,536 too large. */
export type PortName = keyof Ports | "0" | "open, too large" | "too large";

export interface ConnectRequest {
  readonly kind: "direct-tcpip";
  readonly host: string;
  readonly port: PortName;
}

export interface ListenRequest {
  readonly kind: "tcpip-forward";
  readonly address: string;
  readonly port: PortName;
  /** Asked for with the same port, while it is listened on. */
  readonly second: string;
  /** Addresses of cancels that come before the right one. */
  readonly cancels: readonly string[];
}

export interface SocketRequest {
  readonly kind: "direct-streamlocal" | "streamlocal-forward";
  readonly path: "there" | "not there";
}

export interface SessionRequest {
  readonly kind: "agent" | "x11";
  readonly times: "once" | "twice";
  /** For X11, the cookie in hexadecimal. */
  readonly cookie?: string;
}

export type ForwardingRequest = ConnectRequest | ListenRequest | SocketRequest | SessionRequest;

/** Stands for an address of this machine that is not of loopback. */
const OWN = "own";

const HOSTS = [
  "localhost",
  "127.0.0.1",
  "127.1",
  "::1",
  "[::1]",
  "*",
  "",
  "LOCALHOST",
  "localhost.",
  "::ffff:127.0.0.1",
  "0:0:0:0:0:0:0:1",
  "0x7f000001",
  "127.0.0.2",
  "0.0.0.0",
  "::",
];

const ADDRESSES = [
  "",
  "*",
  "localhost",
  "127.0.0.1",
  "::1",
  "0.0.0.0",
  "::",
  "LOCALHOST",
  "127.1",
  "[::1]",
  "localhost.",
  "::ffff:127.0.0.1",
  "127.0.0.2",
  "0:0:0:0:0:0:0:1",
  OWN,
];

const HOST_PORTS: readonly PortName[] = ["open", "open", "dead", "0", "open, too large"];
const LISTEN_PORTS: readonly PortName[] = ["free", "free", "0", "other", "low", "too large"];

const CONNECTS = HOSTS.flatMap((host) => HOST_PORTS.map((port) => ({ kind: "direct-tcpip", host, port }) as const));
const LISTENS = ADDRESSES.flatMap((address) => LISTEN_PORTS.map((port) => ({ address, port })));

const OTHERS: readonly (SocketRequest | SessionRequest)[] = [
  { kind: "direct-streamlocal", path: "there" },
  { kind: "direct-streamlocal", path: "not there" },
  { kind: "streamlocal-forward", path: "not there" },
  { kind: "streamlocal-forward", path: "there" },
  { kind: "agent", times: "twice" },
  { kind: "x11", times: "once", cookie: "00112233445566778899aabbccddeeff" },
  { kind: "x11", times: "twice", cookie: "00112233445566778899aabbccddeeff" },
  { kind: "x11", times: "once", cookie: "" },
  { kind: "x11", times: "once", cookie: "0011x" },
  { kind: "x11", times: "once", cookie: "0011 2233" },
];

/** Counts on from the beginning behind the end. */
const at = <Value>(values: readonly Value[], index: number): Value => values[index % values.length] as Value;

/** Each address and each kind of request, once. */
export const ALL_FORMS: readonly ForwardingRequest[] = [
  ...HOSTS.map((host, index) => ({ kind: "direct-tcpip", host, port: index % 5 === 4 ? "dead" : "open" }) as const),
  ...ADDRESSES.map(
    (address, index): ListenRequest => ({
      kind: "tcpip-forward",
      address,
      port: index % 3 === 2 ? "0" : "free",
      second: at(ADDRESSES, index + 4),
      cancels: [at(ADDRESSES, index + 1), at(ADDRESSES, index + 2)],
    }),
  ),
  ...OTHERS,
];

/** Some of the others: the same each time, and other ones for each login. What is asked at all logins comes first. */
export function sampleOfRequests(login: number, count: number): readonly ForwardingRequest[] {
  const random = numbersFrom(login);
  const anAddress = () => at(ADDRESSES, random(ADDRESSES.length));
  const listens = sample(LISTENS, count, random).map(
    (listen): ListenRequest => ({
      kind: "tcpip-forward",
      ...listen,
      second: anAddress(),
      cancels: [anAddress(), anAddress()],
    }),
  );
  return [
    { kind: "direct-tcpip", host: "127.0.0.1", port: "open" },
    {
      kind: "tcpip-forward",
      address: at(["localhost", "LOCALHOST"], login),
      port: "free",
      second: "localhost",
      cancels: ["127.0.0.1", ""],
    },
    ...sample(CONNECTS, count, random),
    ...listens,
    ...sample(OTHERS, count, random),
  ];
}

function sample<Value>(values: readonly Value[], count: number, random: (below: number) => number): readonly Value[] {
  const left = [...values];
  return Array.from({ length: count }, () => left.splice(random(left.length), 1)).flat();
}

/** Numbers that look random and are the same each time (Lehmer's generator). */
function numbersFrom(seed: number): (below: number) => number {
  let state = 48_271 * (seed + 1);
  return (below) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
}

export function portOf(name: PortName, { ports }: Places): number {
  if (name === "0") return 0;
  if (name === "open, too large") return ports.open + 65_536;
  if (name === "too large") return ports.large + 65_536;
  return ports[name];
}

export const addressOf = (address: string, { ownAddress }: Places): string => (address === OWN ? ownAddress : address);

export function titleOf(request: ForwardingRequest): string {
  switch (request.kind) {
    case "direct-tcpip":
      return `${request.kind} "${request.host}" ${request.port}`;
    case "tcpip-forward":
      return `${request.kind} "${request.address}" ${request.port}, beside it "${request.second}"`;
    case "direct-streamlocal":
    case "streamlocal-forward":
      return `${request.kind} ${request.path}`;
    default:
      return `${request.kind} ${request.times}${request.cookie === undefined ? "" : ` "${request.cookie}"`}`;
  }
}
