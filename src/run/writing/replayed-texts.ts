import { type Tensor, tensor } from '../../onnx/tensor.ts';

/** A text of a student, with its beginning. */
export interface StudentText {
  readonly ids: Int32Array;
  readonly promptLength: number;
}

/** The last batches of texts that a student wrote. They are part of a training's state: a resumed one draws from the same. */
export class ReplayedTexts {
  readonly #most: number;
  #batches: (readonly StudentText[])[] = [];

  /** @param most batches that are kept */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#batches.length;
  }

  add(texts: readonly StudentText[]): void {
    this.#batches.push(texts);
    if (this.#batches.length > this.#most) this.#batches.shift();
  }

  /** A batch by its place, the oldest first. */
  at(place: number): readonly StudentText[] {
    const batch = this.#batches[place];
    if (!batch) throw new Error(`no batch ${place} of ${this.size} is kept`);
    return batch;
  }

  /** For a checkpoint: all tokens, and numbers that say whose they are. */
  save(): ReadonlyMap<string, Tensor> {
    const texts = this.#batches.flat();
    const ids = new Int32Array(texts.reduce((sum, text) => sum + text.ids.length, 0));
    let at = 0;
    for (const text of texts) {
      ids.set(text.ids, at);
      at += text.ids.length;
    }
    const lists = {
      ids,
      lengths: Int32Array.from(texts, (text) => text.ids.length),
      prompts: Int32Array.from(texts, ({ promptLength }) => promptLength),
      batches: Int32Array.from(this.#batches, ({ length }) => length),
    };
    return new Map(Object.entries(lists).map(([name, data]) => [name, tensor('int32', [data.length], data)]));
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    const [ids, lengths, prompts, batches] = ['ids', 'lengths', 'prompts', 'batches'].map(
      (name) => (state.get(name)?.data ?? new Int32Array()) as Int32Array,
    ) as [Int32Array, Int32Array, Int32Array, Int32Array];
    let [text, token] = [0, 0];
    this.#batches = Array.from(batches, (count) =>
      Array.from({ length: count }, () => {
        const from = token;
        token += lengths[text] as number;
        return { ids: ids.slice(from, token), promptLength: prompts[text++] as number };
      }),
    );
  }
}
