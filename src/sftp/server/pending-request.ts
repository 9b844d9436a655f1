import type { Packet } from "../codec/packet-assembler.js";
import { LinedReply } from "./reply-order.js";
import { type OrderedRequest, onlyReads } from "./request-order.js";
import type { Operation, Reply } from "./requests/request.js";

/** The session that a request belongs to. */
export interface RequestOwner {
  /** Its turn has come. */
  start(request: PendingRequest): void;
  /** The turn of its reply has come. */
  answer(request: PendingRequest): void;
  /** Its reply was taken by the stream. */
  answered(request: PendingRequest): void;
}

/** A request from the time it is read until its reply was taken. */
export class PendingRequest extends LinedReply implements OrderedRequest {
  readonly id: number;
  readonly name: string | undefined;
  readonly operation: Operation;
  readonly readsOnly: boolean;
  /** Bytes of memory that it and its reply take. */
  readonly cost: number;
  state: OrderedRequest["state"] = "waiting";
  /** `undefined` before it is made, and where nobody is there to read it. */
  reply: Reply | undefined;
  readonly #owner: RequestOwner;
  readonly #packet: Packet;

  constructor(
    owner: RequestOwner,
    packet: Packet,
    request: {
      readonly id: number;
      readonly name: string | undefined;
      readonly operation: Operation;
      readonly cost: number;
    },
  ) {
    super();
    this.#owner = owner;
    this.#packet = packet;
    this.id = request.id;
    this.name = request.name;
    this.operation = request.operation;
    this.readsOnly = onlyReads(request.operation.footprint);
    this.cost = request.cost;
  }

  get footprint() {
    return this.operation.footprint;
  }

  start(): void {
    this.#owner.start(this);
  }

  leave(): void {
    this.#owner.answer(this);
  }

  /** The fields of the request are not needed any more. */
  releasePacket(): void {
    this.#packet.release();
  }

  /** To be called once, when the stream has taken the reply. */
  readonly sent = (): void => {
    if (this.reply !== undefined && !Buffer.isBuffer(this.reply)) this.reply.release();
    this.reply = undefined;
    this.#owner.answered(this);
  };
}
