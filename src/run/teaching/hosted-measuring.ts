import type { Batch } from '../../data/batch.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';
import { finite, type HostedTeacherResult } from '../../report/result.ts';
import type { Head } from '../../targets/head.ts';
import { endpointAddress } from '../../teachers/chat/address.ts';
import { priceOf } from '../../teachers/chat/spending.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import { unansweredRows, withoutUnanswered } from '../batches/unanswered.ts';
import { HeadsMeasuring } from '../heads/measure-heads.ts';
import type { HostedTeacher } from './hosted-teacher.ts';
import { describePart } from './ready-hosted.ts';

/** A hosted teacher on the test samples that it answered, and the student on the same ones. */
export class HostedMeasuring {
  readonly #answers: ReadonlyMap<string, LabelSpace> | undefined;
  readonly #heads: readonly Head[];
  readonly teacher: HeadsMeasuring;
  readonly student: HeadsMeasuring;
  samples = 0;
  unanswered = 0;

  /**
   * @param read the heads as the student is read
   * @param answers undefined where the teacher is not compared with
   */
  constructor(
    heads: readonly Head[],
    read: readonly Head[],
    answers: ReadonlyMap<string, LabelSpace> | undefined,
  ) {
    this.#heads = heads;
    this.#answers = answers;
    this.teacher = new HeadsMeasuring(heads);
    this.student = new HeadsMeasuring(read);
  }

  get isMeasured(): boolean {
    return this.#answers !== undefined && this.samples > 0;
  }

  /** @param said the student's answers to the batch, by output */
  add(batch: Batch, said: Readonly<Record<string, Tensor>>): void {
    if (!this.#answers) return;
    const own = this.#heads.map(
      ({ output }) => [output, readKnowledge(this.#answers!.get(output) as LabelSpace, batch)] as const,
    );
    // A sample counts where every output has an answer.
    const none = own.flatMap(([, answers]) => unansweredRows(answers, batch.filled) ?? []);
    const marked = (values: Tensor) => {
      if (none.length === 0) return values;
      const data = (values.data as Float32Array).slice();
      const width = data.length / batch.rows;
      for (let row = 0; row < batch.filled; row++)
        if (none.some((rows) => rows[row] === 1)) data.fill(Number.NaN, row * width, (row + 1) * width);
      return tensor('float32', values.dims, data);
    };
    const kept = (answers: Iterable<readonly [string, Tensor]>) =>
      Object.fromEntries(
        [...answers].map(([name, values]) => [name, withoutUnanswered(batch, marked(values)).answers]),
      );
    const answered = withoutUnanswered(batch, marked(own[0]![1])).batch;
    this.samples += answered.filled;
    this.unanswered += batch.filled - answered.filled;
    if (answered.filled === 0) return;
    this.teacher.add(kept(own), answered);
    this.student.add(
      kept(this.#heads.map(({ output }) => [output, said[output] as Tensor] as const)),
      answered,
    );
  }

  /**
   * What is told of a hosted teacher: what it cost and, where it could be measured, how good it is.
   *
   * @param decides whether what it says is the truth that the student is measured by
   */
  result(hosted: HostedTeacher, decides: boolean): HostedTeacherResult {
    const { choice, title, model } = hosted;
    const { requests, inputTokens, outputTokens } = hosted.spent();
    const gain = this.isMeasured ? this.student.gainOver(this.teacher) : undefined;
    return {
      title,
      host: endpointAddress(choice.baseURL).host,
      model: model.name ?? choice.model,
      answers: hosted.parts.map(describePart),
      decides,
      requests,
      inputTokens,
      outputTokens,
      money: priceOf(choice, { inputTokens, outputTokens }) ?? null,
      currency: choice.prices?.currency ?? '',
      ...(gain && {
        measured: {
          samples: this.samples,
          unanswered: this.unanswered,
          metrics: finiteValues(this.teacher.values()),
          studentGain: {
            difference: finite(gain.difference),
            low: finite(gain.low),
            high: finite(gain.high),
          },
        },
      }),
    };
  }
}

function finiteValues(values: Evaluation): Record<string, number | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, finite(value)]));
}
