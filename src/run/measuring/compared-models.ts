import type { Batch } from '../../data/batch.ts';
import type { Engine, Session } from '../../engine/engine.ts';
import { FURTHER_PRECISIONS, type FurtherPrecision } from '../../export/precisions.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import type { Difference } from '../../metrics/interval.ts';
import { fetchesOf } from '../../metrics/measure-outputs.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { createTestAnswers } from '../../report/test-answers.ts';
import type { Head } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { HeadsMeasuring } from '../heads/measure-heads.ts';
import { openClassifier } from './open-classifier.ts';

/** The names under which models are compared, beside those of the baselines. */
export const TEACHER_NAME = 'teacher';
export const STUDENT_NAME = 'student';
export const INT8_NAME = 'studentInt8';

/** The name under which the student's file in a further precision is compared. */
export function furtherName(precision: FurtherPrecision): string {
  return `${STUDENT_NAME}/${precision}`;
}

/** The precision in the name of a student's file; undefined for other models. */
export function precisionNamed(name: string): FurtherPrecision | undefined {
  return FURTHER_PRECISIONS.find((precision) => name === furtherName(precision));
}

/** A model that is compared: its heads as it is read, and what it answered. */
interface ComparedModel {
  readonly session: Session;
  /** Answers that are kept already: then it is not asked. */
  readonly kept: ReadonlyMap<string, LabelSpace> | undefined;
  /** A batch as it reads it; as it is when absent. */
  readonly reads: ((batch: Batch) => Batch) | undefined;
  readonly heads: readonly Head[];
  readonly measuring: HeadsMeasuring;
}

/** What each model answered to a batch, by the names of models and outputs. */
export type BatchAnswers = ReadonlyMap<string, Readonly<Record<string, Tensor>>>;

/**
 * Models, loaded from their files, that answer the same batches: what each is measured at, and how much better the student is
 * than each other. Of models that answer with one class that is known from the samples which only one of both gets right, of
 * others by the jackknife.
 */
export class ComparedModels {
  readonly #models = new Map<string, ComparedModel>();
  readonly #counted = createTestAnswers(STUDENT_NAME);
  readonly #heads: readonly Head[];
  readonly isOneClass: boolean;

  constructor(heads: readonly Head[]) {
    this.#heads = heads;
    this.isOneClass = isOneClass(heads);
  }

  /** @param tune chooses what its outputs are read with; as those of the student when absent */
  async open(
    engine: Pick<Engine, 'load'>,
    name: string,
    file: string,
    how: {
      readonly kept?: ReadonlyMap<string, LabelSpace> | undefined;
      readonly reads?: ((batch: Batch) => Batch) | undefined;
      readonly tune?: ((session: Session) => Promise<readonly Head[]>) | undefined;
    },
  ): Promise<void> {
    const session = await openClassifier(engine, file);
    const { kept, reads } = how;
    const open = { session, kept, reads, heads: this.#heads, measuring: new HeadsMeasuring(this.#heads) };
    // At once: it is released where tuning fails.
    this.#models.set(name, open);
    const heads = how.tune ? await how.tune(session) : this.headsOf(STUDENT_NAME);
    this.#models.set(name, { ...open, heads, measuring: new HeadsMeasuring(heads) });
  }

  async answer(batch: Batch): Promise<BatchAnswers> {
    const said = new Map<string, Readonly<Record<string, Tensor>>>();
    for (const [name, { session, kept, reads, measuring }] of this.#models) {
      const own = reads?.(batch) ?? batch;
      const answers = kept
        ? Object.fromEntries([...kept].map(([output, space]) => [output, readKnowledge(space, batch)]))
        : await session.run(takenFeeds(session, own.columns), fetchesOf(this.#heads, session.outputNames));
      // Where its tokens are others, so is what comes next.
      measuring.add(answers, kept ? batch : own);
      said.set(name, answers);
    }
    if (this.isOneClass) this.#count(said, batch);
    return said;
  }

  get sessions(): Map<string, Session> {
    return new Map([...this.#models].map(([name, { session }]) => [name, session]));
  }

  get names(): readonly string[] {
    return [...this.#models.keys()];
  }

  headsOf(name: string): readonly Head[] {
    return this.#model(name).heads;
  }

  measuringOf(name: string): HeadsMeasuring {
    return this.#model(name).measuring;
  }

  /** How much better the student is than another model, by the main metric. */
  gainOver(name: string): Difference {
    return this.isOneClass
      ? this.#counted.over(name)
      : this.measuringOf(STUDENT_NAME).gainOver(this.measuringOf(name));
  }

  /** Of one class: the accuracy of always giving the most frequent one. */
  get chance(): number | undefined {
    return this.isOneClass ? this.#counted.chance : undefined;
  }

  async release(): Promise<void> {
    for (const { session } of this.#models.values()) await session.release();
  }

  #count(said: BatchAnswers, batch: Batch): void {
    const [head] = this.#heads as [Head];
    const read = [...said].map(
      ([name, answers]) => [name, [...readLogits(answers[head.output] as Tensor, batch, head)]] as const,
    );
    read[0]?.[1].forEach(({ label }, row) => {
      const answers = read.map(([name, rows]) => [name, rows[row]?.answer as number] as const);
      this.#counted.add(label, new Map(answers));
    });
  }

  #model(name: string): ComparedModel {
    const found = this.#models.get(name);
    if (!found) throw new Error(`no model ${name} is compared`);
    return found;
  }
}
