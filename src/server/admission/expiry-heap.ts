/** An item that has an end, and knows its place in the heap. */
export interface Expiring {
  /** Milliseconds on a clock that only goes forward. */
  expiry: number;
  place: number;
}

/** A binary heap: the item that ends first is found at once; adding, moving and taking cost O(log n). */
export class ExpiryHeap<Item extends Expiring> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The item that ends first. */
  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    this.#put(item, this.#items.length);
    this.#rise(item);
  }

  /** To be called when the `expiry` of an item in the heap has been put off. */
  putOff(item: Item): void {
    this.#sink(item);
  }

  takeFirst(): Item | undefined {
    const [first] = this.#items;
    const last = this.#items.pop();
    if (last !== undefined && last !== first) {
      this.#put(last, 0);
      this.#sink(last);
    }
    return first;
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }

  #rise(item: Item): void {
    while (item.place > 0) {
      const parent = this.#items[(item.place - 1) >> 1];
      if (parent === undefined || parent.expiry <= item.expiry) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const left = this.#items[2 * item.place + 1];
      const right = this.#items[2 * item.place + 2];
      const child = left !== undefined && right !== undefined && right.expiry < left.expiry ? right : left;
      if (child === undefined || child.expiry >= item.expiry) return;
      this.#swap(item, child);
    }
  }

  #swap(upper: Item, lower: Item): void {
    const { place } = upper;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }
}
