const CHUNK_SIZE = 64 * 1024;
const SMALLEST_CHUNK_SIZE = 64;

/**
 * The bytes of a file, in chunks, so that growing it copies nothing but its first chunk. Bytes that were never written
 * are zero and hold no memory. Memory is at most twice the size, however the file was written and cut.
 */
export class FileContent {
  readonly #chunks: (Buffer | undefined)[] = [];
  #size = 0;

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** @returns how many bytes were read; 0 at the end */
  read(buffer: Buffer, position: number): number {
    const length = Math.max(0, Math.min(buffer.length, this.#size - position));
    for (let done = 0; done < length; ) {
      const [index, offset] = locate(position + done);
      const part = buffer.subarray(done, Math.min(length, done + CHUNK_SIZE - offset));
      const stored = this.#chunks[index]?.subarray(offset, offset + part.length);
      if (stored !== undefined) part.set(stored);
      part.fill(0, stored?.length ?? 0);
      done += part.length;
    }
    return length;
  }

  write(data: Buffer, position: number): void {
    for (let done = 0; done < data.length; ) {
      const [index, offset] = locate(position + done);
      const part = data.subarray(done, done + CHUNK_SIZE - offset);
      this.#chunkFor(index, offset + part.length).set(part, offset);
      done += part.length;
    }
    this.#size = Math.max(this.#size, position + data.length);
  }

  /** Cuts the file, or fills it up with zeros. */
  resize(size: number): void {
    if (size < this.#size) this.#cut(size);
    this.#size = size;
  }

  #cut(size: number): void {
    this.#chunks.length = Math.min(this.#chunks.length, Math.ceil(size / CHUNK_SIZE));
    const [index, end] = locate(size);
    const last = this.#chunks[index];
    if (last === undefined) return;
    const shorter = Buffer.alloc(chunkCapacity(index, end));
    last.copy(shorter, 0, 0, end);
    this.#chunks[index] = shorter;
  }

  #chunkFor(index: number, length: number): Buffer {
    const chunk = this.#chunks[index];
    if (chunk !== undefined && chunk.length >= length) return chunk;
    const larger = Buffer.alloc(chunkCapacity(index, length));
    chunk?.copy(larger);
    this.#chunks[index] = larger;
    return larger;
  }
}

function locate(position: number): [index: number, offset: number] {
  return [Math.floor(position / CHUNK_SIZE), position % CHUNK_SIZE];
}

/** Only the first chunk of a file starts small, and doubles: there may be many small files. */
function chunkCapacity(index: number, length: number): number {
  if (index > 0) return CHUNK_SIZE;
  let capacity = SMALLEST_CHUNK_SIZE;
  while (capacity < length) capacity *= 2;
  return capacity;
}
