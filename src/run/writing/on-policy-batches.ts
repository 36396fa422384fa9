import { bucketFor, writeRow } from '../../data/added/written-split.ts';
import { type Batch, SAMPLE_KEY_BYTES, variantName } from '../../data/batch.ts';
import { emptyLike } from '../../data/batches/batch-rows.ts';
import { INPUT_IDS, SEQUENCE } from '../../data/columns.ts';
import { FOR_TEACHER } from '../../data/modalities/text/token-piece.ts';
import type { Split } from '../../data/split.ts';
import type { Engine } from '../../engine/engine.ts';
import { dimsAt } from '../../knowledge/true-length.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import { mixSeed, randomStream } from '../../random.ts';
import type { OnPolicyOptions } from '../../recipe/on-policy.ts';
import type { Teacher, TeacherOutput } from '../../teachers/teacher.ts';
import type { BatchPlace, BatchSource, LearningStudent, TrainingBatch } from '../../train/batch-source.ts';
import type { StepControl, StepOutcome } from '../../train/step-control.ts';
import { beginnings } from './prompts.ts';
import { ReplayedTexts, type StudentText } from './replayed-texts.ts';
import { StudentWriter } from './student-writer.ts';
import { writeTexts } from './writer.ts';
import { WritingWatch } from './writing-watch.ts';

export interface OnPolicySetting {
  readonly options: OnPolicyOptions;
  readonly engine: Pick<Engine, 'load'>;
  /** The batches of documents. */
  readonly batches: BatchSource;
  /** Whose buckets texts are put in. */
  readonly split: Split;
  /** The column with what comes next. */
  readonly labels: string;
  readonly paddedLeft: boolean;
  /** Tokens of a text with its beginning, at most. */
  readonly maxLength: number;
  readonly endIds: readonly number[];
  readonly seed: number;
  /** Steps before the first that the student writes for. */
  readonly firstStep: number;
  /** Opens the teacher; what it is asked goes to steps as `knowledge/TAP`. */
  judge(): Promise<Teacher>;
  readonly signal?: AbortSignal | undefined;
  warn(message: string): void;
}

/** What a batch was made of, until its step is over. */
interface Made {
  readonly number: number;
  /** Texts that were written for it. */
  readonly written?: readonly StudentText[];
  readonly isOnPolicy: boolean;
  readonly secondsWriting: number;
  readonly secondsJudging: number;
}

/**
 * Batches some of which the student writes itself, from the beginnings of the documents whose turn it is, with the weights that it
 * has by then; the teacher is asked what it would have said. Which steps these are, what is drawn and which kept batch comes again
 * depend on the seed and the step alone. Nothing is true of what a student writes: losses towards the text do not see these rows
 * (`FOR_TEACHER`).
 *
 * Agarwal et al., "On-Policy Distillation of Language Models" (2024, arXiv 2306.13649), algorithm 1, with whole batches of one kind;
 * kept batches as in Ko et al., "DistiLLM" (2024, arXiv 2402.03898), section 3.2, with a constant share.
 */
export class OnPolicyBatches implements BatchSource, StepControl {
  readonly name = 'on-policy';
  readonly batchesPerEpoch: number;
  /** What is looked at where nothing is to be written. */
  readonly plain: BatchSource;
  readonly #setting: OnPolicySetting;
  readonly #kept: ReplayedTexts;
  readonly #watch: WritingWatch;
  #made: Made | undefined;
  #toldShort = false;
  #writer: StudentWriter | undefined;
  #teacher: Teacher | undefined;

  constructor(setting: OnPolicySetting) {
    this.#setting = setting;
    this.plain = setting.batches;
    this.batchesPerEpoch = setting.batches.batchesPerEpoch;
    this.#kept = new ReplayedTexts(setting.options.kept);
    this.#watch = new WritingWatch(setting.endIds, setting.warn);
  }

  async batch(place: BatchPlace, student: LearningStudent): Promise<TrainingBatch> {
    const { options, seed, firstStep } = this.#setting;
    const number = place.epoch * this.batchesPerEpoch + place.index;
    const random = randomStream(seed, 'on-policy', number);
    const isOnPolicy = number >= firstStep && random.uniform() < options.share;
    const comesAgain = isOnPolicy && random.uniform() < options.replay && this.#kept.size > 0;
    const nothing = { number, isOnPolicy: false, secondsWriting: 0, secondsJudging: 0 };
    const documents = await this.plain.batch(place, student);
    this.#made = nothing;
    if (!isOnPolicy) return documents;
    const began = performance.now();
    const written = comesAgain ? undefined : await this.#write(number, documents, student);
    const texts = written ?? this.#kept.at(random.integer(this.#kept.size));
    // All documents of the batch are too short to be begun.
    if (texts.length === 0) {
      this.#tellShort();
      return documents;
    }
    const wrote = performance.now();
    const judged = await this.#judged(texts, (documents.feeds[INPUT_IDS] as Tensor).dims[0] as number);
    this.#made = {
      number,
      isOnPolicy,
      ...(written && { written }),
      secondsWriting: (wrote - began) / 1000,
      secondsJudging: (performance.now() - wrote) / 1000,
    };
    return judged;
  }

  /** Texts are kept once their step is over: one that failed is tried again from where it began. */
  afterStep({ place }: StepOutcome): void {
    const made = this.#made;
    if (made?.number !== place.step) return;
    if (made.written) this.#kept.add(made.written);
    this.#watch.add(made);
  }

  metrics(): Readonly<Record<string, number>> {
    return this.#watch.metrics();
  }

  note(): string {
    return this.#watch.note();
  }

  save(): ReadonlyMap<string, Tensor> {
    return new Map([...this.#kept.save(), ['watch', this.#watch.save()]]);
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    this.#kept.restore(state);
    this.#watch.restore(state.get('watch'));
  }

  async release(): Promise<void> {
    await this.#writer?.release();
    await this.#teacher?.close();
  }

  #tellShort(): void {
    if (this.#toldShort) return;
    this.#toldShort = true;
    const { options, warn } = this.#setting;
    warn(
      `the student writes nothing where all documents of a batch have no more than ${options.promptTokens} tokens: those steps are taught by documents. Lower training.onPolicy.promptTokens`,
    );
  }

  async #write(number: number, { feeds, rows }: TrainingBatch, { student, parameters }: LearningStudent) {
    const { options, engine, labels, maxLength, endIds, seed, signal } = this.#setting;
    const { dims } = feeds[INPUT_IDS] as Tensor;
    const documents: Batch = {
      rows: dims[0] as number,
      filled: rows,
      keys: new Uint8Array(rows * SAMPLE_KEY_BYTES),
      ordinals: new Uint32Array(rows),
      sizes: { batch: dims[0] as number, [SEQUENCE]: dims[1] as number },
      columns: feeds,
    };
    const prompts = beginnings(documents, labels, options.promptTokens)
      .map((beginning, row) => ({ ...beginning, seed: mixSeed(seed, 'on-policy', number, row) >>> 0 }))
      .filter(({ length }) => length > 0);
    if (prompts.length === 0) return [];
    this.#writer ??= await StudentWriter.open(engine, student, maxLength);
    const written = await writeTexts(this.#writer.decoder(parameters()), prompts, {
      ...options,
      maxLength,
      endIds,
      signal,
      titleOf: (row) => `training step ${number}, text ${row + 1} of ${prompts.length}`,
    });
    return prompts.map(({ ids, length }, i): StudentText => {
      const own = [...ids.slice(0, length), ...(written[i] as number[])];
      return { ids: Int32Array.from(own), promptLength: length };
    });
  }

  /** Texts as a batch with what the teacher says of them. */
  async #judged(texts: readonly StudentText[], rows: number): Promise<TrainingBatch> {
    const { split, judge } = this.#setting;
    const bucket = bucketFor(split, Math.max(...texts.map(({ ids }) => ids.length)));
    const batch = emptyLike(split.readBatch(bucket, [], rows), rows, texts.length);
    for (const [row, text] of texts.entries()) {
      writeRow(batch, row, text, this.#setting, () => FOR_TEACHER);
      batch.ordinals[row] = row;
    }
    this.#teacher ??= await judge();
    const taps = Object.keys(this.#teacher.outputs);
    const said = await this.#teacher.label(batch, taps);
    const knowledge = taps.map((tap) => {
      const { dims } = (this.#teacher as Teacher).outputs[tap] as TeacherOutput;
      const own = dimsAt(dims, batch.sizes[SEQUENCE] as number);
      const data = new Float32Array(rows * elementCount(own));
      data.set(said[tap] as Float32Array);
      return [`knowledge/${tap}`, tensor('float32', [rows, ...own], data)];
    });
    return {
      variant: variantName(batch.sizes),
      feeds: { ...batch.columns, ...Object.fromEntries(knowledge) },
      rows: texts.length,
    };
  }
}
