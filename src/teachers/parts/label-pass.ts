import type { Batch } from '../../data/batch.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Session } from '../../engine/engine.ts';
import { LimbeckError } from '../../errors.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { LabelAllOptions } from '../teacher.ts';
import { BlockWriter, DamagedBlock, readBlock } from './block-file.ts';
import { keepSamples, keptBatches } from './kept-samples.ts';
import { packTokens, unpackTokens } from './packed-tokens.ts';
import { lookAtPadding, paddingOf } from './padding-probe.ts';
import type { CarriedValue, PartedModel } from './parted-model.ts';
import { PassFolder, type PassState } from './pass-folder.ts';
import { diskAtOnce } from './pass-size.ts';

export interface PassOptions extends LabelAllOptions {
  readonly model: PartedModel;
  /** The folder of the pass; removed when it is through. */
  readonly folder: string;
  /** Of what is asked: the same model, cut and answers. */
  readonly id: string;
  /** Outputs that are answered. */
  readonly taps: readonly string[];
  /** What a part's inputs that are not carried to it are fed. */
  feeds(session: Session, batch: Batch): Record<string, Tensor>;
}

/** With less padding than this it is not worth to be left out. */
const LEAST_PADDING = 0.05;
const BLOCKS_LOOKED_AT = 16;

/**
 * Asks a model that does not fit into memory: each part runs over all samples, and what goes from one to the next lies on the
 * disk meanwhile, with checksums. Interrupted anywhere, it goes on with the block that was not whole. Batches stay together
 * through all parts and after interruptions, so that the answers are the same bits.
 *
 * @returns batches with the answers to them, as `Teacher.label` gives them
 * @throws LimbeckError `teacher.disk` where too little is free, `teacher.disk-full`, `teacher.damaged`
 */
export async function* labelPass(
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  options: PassOptions,
): AsyncGenerator<readonly [Batch, Record<string, Tensor>]> {
  const folder = new PassFolder(options.folder);
  const earlier = folder.begin(options.id, options.resume ?? false);
  if (earlier) {
    options.tell?.(
      `going on with ${earlier.samples} samples that were being asked about, at part ${Math.min(earlier.parts + 1, options.model.parts.length)} of ${options.model.parts.length}`,
    );
    yield* answered(new Pass(folder, options, earlier));
  }
  folder.begin(options.id, false);
  const state = await keepSamples(folder, options.id, batches);
  if (state.blocks > 0) yield* answered(new Pass(folder, options, state));
  folder.remove();
}

/** Goes through the parts; where something on the disk was damaged, once more from the samples. */
async function* answered(pass: Pass): AsyncGenerator<readonly [Batch, Record<string, Tensor>]> {
  try {
    await pass.prepare();
    for (let again = false; ; again = true) {
      try {
        await pass.throughParts();
        yield* pass.answers();
        return;
      } catch (error) {
        if (!(error instanceof DamagedBlock) || again) throw error;
        pass.restart(error);
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedBlock)) throw error;
    pass.forget();
    throw new LimbeckError('teacher.damaged', 'what was kept between the parts of the teacher is damaged', {
      where: error.message,
      remedy:
        'Run the same command again: these samples are asked about from the start. Check the disk where it happens again.',
      cause: error,
    });
  }
}

class Pass {
  readonly #folder: PassFolder;
  readonly #options: PassOptions;
  #state: PassState;

  constructor(folder: PassFolder, options: PassOptions, state: PassState) {
    this.#folder = folder;
    this.#options = options;
    this.#state = state;
  }

  /** Looks whether there is room, and whether padding can be left out; before the first part. */
  async prepare(): Promise<void> {
    if (this.#state.packs !== null) return;
    const { rows, tokens, places } = this.#state;
    const isPadded = places > 0 && (places - tokens) / places > LEAST_PADDING;
    const packs = isPadded && (await this.#canPack());
    const kept = { samples: rows, tokens: packs ? tokens : places };
    this.#folder.requireSpace(diskAtOnce(this.#carried, kept));
    this.#update({ packs });
  }

  /** Runs all parts but the last over all samples. */
  async throughParts(): Promise<void> {
    const { parts } = this.#options.model;
    for (let part = this.#state.parts; part < parts.length - 1; part++) {
      const session = await this.#options.model.open(part);
      try {
        for (let block = 0; block < this.#state.blocks; block++) {
          await this.#through(part, block, session);
          this.#progress(part, block + 1);
        }
      } finally {
        await session.release();
      }
      this.#update({ parts: part + 1 });
      this.#folder.removeValues((until) => until > part);
    }
  }

  /** Runs the last part, and gives the answers. */
  async *answers(): AsyncGenerator<readonly [Batch, Record<string, Tensor>]> {
    const { model, taps, commit } = this.#options;
    const last = model.parts.length - 1;
    const session = await model.open(last);
    try {
      for (let block = this.#state.answered; block < this.#state.blocks; block++) {
        for (const { batch, values } of this.#read(last, block)) {
          const made = await this.#run(session, last, batch, values);
          yield [
            batch,
            Object.fromEntries(taps.map((tap) => [tap, (made[tap] ?? values.get(tap)) as Tensor])),
          ];
        }
        await commit?.();
        this.#update({ answered: block + 1 });
        this.#progress(last, block + 1);
      }
    } finally {
      await session.release();
    }
  }

  /** Leaves nothing but the samples, and begins with the first part. */
  restart({ message }: DamagedBlock): void {
    this.#options.tell?.(`${message}: the parts run again from the samples`);
    this.#folder.removeValues(() => false);
    this.#update({ parts: 0 });
  }

  forget(): void {
    this.#folder.remove();
  }

  /** Carried values, and answers that are made before the last part and asked for. */
  get #carried(): readonly CarriedValue[] {
    const { model, taps } = this.#options;
    return model.carried.filter(({ name, from }) => {
      const part = model.parts[from] as (typeof model.parts)[number];
      return part.carriedOut.has(name) || taps.includes(name);
    });
  }

  async #through(part: number, block: number, session: Session): Promise<void> {
    const made = this.#carried.filter(({ from }) => from === part);
    const untils = [...new Set(made.map(({ until }) => until))];
    const paths = untils.map((until) => this.#folder.values(part, until, block));
    if (paths.every((path) => this.#folder.has(path))) return;
    const writers = paths.map((path) => new BlockWriter(path));
    try {
      for (const { batch, values } of this.#read(part, block)) {
        const results = await this.#run(session, part, batch, values);
        for (const [i, until] of untils.entries()) {
          const own = made.filter((value) => value.until === until);
          const tensors = own.map(({ name }): [string, Tensor] => [
            name,
            this.#packed(name, results[name] as Tensor, batch),
          ]);
          writers[i]?.add({ tensors: new Map(tensors), facts: {} });
        }
      }
    } catch (error) {
      for (const writer of writers) writer.abandon();
      throw error;
    }
    for (const writer of writers) writer.finish();
  }

  /** The batches of a block with what earlier parts carry to one. */
  *#read(
    part: number,
    block: number,
  ): Generator<{ readonly batch: Batch; readonly values: ReadonlyMap<string, Tensor> }> {
    const carried = this.#carried.filter(({ from, until }) => from < part && until >= part);
    const places = new Set(carried.map(({ from, until }) => this.#folder.values(from, until, block)));
    const files = [...places].map((path) => {
      if (!this.#folder.has(path)) throw new DamagedBlock(path, 'is missing');
      return readBlock(path);
    });
    const samples = this.#folder.samples(block);
    if (!this.#folder.has(samples)) throw new DamagedBlock(samples, 'is missing');
    for (const batch of keptBatches(this.#folder, block)) {
      const values = new Map<string, Tensor>();
      for (const file of files) {
        const next = file.next();
        if (next.done) throw new DamagedBlock(samples, 'has other samples than what was made of it');
        for (const [name, value] of next.value.tensors) values.set(name, this.#unpacked(name, value, batch));
      }
      yield { batch, values };
    }
  }

  async #run(
    session: Session,
    part: number,
    batch: Batch,
    values: ReadonlyMap<string, Tensor>,
  ): Promise<Record<string, Tensor>> {
    const { carriedIn, carriedOut, answers } = this.#options.model.parts[
      part
    ] as PartedModel['parts'][number];
    this.#options.checkInterrupted?.();
    const feeds = this.#options.feeds(session, batch);
    for (const name of carriedIn)
      if (session.inputNames.includes(name)) feeds[name] = values.get(name) as Tensor;
    const made = new Set([
      ...carriedOut.keys(),
      ...answers.filter((name) => this.#options.taps.includes(name)),
    ]);
    return made.size > 0 ? session.run(feeds, Object.fromEntries([...made].map((name) => [name, null]))) : {};
  }

  /** Tries it on the batch with most padding, of the first ones of some blocks. */
  async #canPack(): Promise<boolean> {
    let batch: Batch | undefined;
    for (let block = 0; block < Math.min(this.#state.blocks, BLOCKS_LOOKED_AT); block++) {
      const [first] = keptBatches(this.#folder, block);
      if (first && (!batch || (paddingOf(first) ?? 0) > (paddingOf(batch) ?? 0))) batch = first;
    }
    if (!batch) return false;
    const { model, taps, tell } = this.#options;
    const other = await lookAtPadding(model, batch, taps, (...run) => this.#run(...run));
    if (other !== undefined)
      tell?.(`padding is kept between the parts: without it the teacher's ${other} has other bits`);
    return other === undefined;
  }

  #packed(name: string, value: Tensor, batch: Batch): Tensor {
    const spans = this.#state.packs && this.#isByToken(name) ? tokenSpans(batch) : undefined;
    return spans ? packTokens(value, spans) : value;
  }

  #unpacked(name: string, value: Tensor, batch: Batch): Tensor {
    const spans = this.#state.packs && this.#isByToken(name) ? tokenSpans(batch) : undefined;
    return spans ? unpackTokens(value, spans, batch.rows) : value;
  }

  #isByToken(name: string): boolean {
    return this.#options.model.byToken.has(name);
  }

  #update(change: Partial<PassState>): void {
    this.#state = { ...this.#state, ...change };
    this.#folder.write(this.#state);
  }

  #progress(part: number, blocks: number): void {
    const parts = this.#options.model.parts.length;
    const done = (part + blocks / Math.max(1, this.#state.blocks)) / parts;
    this.#options.onProgress?.({ part, parts, done });
  }
}
