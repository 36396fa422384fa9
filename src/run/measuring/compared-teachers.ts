import type { Batch } from '../../data/batch.ts';
import type { Example } from '../../data/split.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { percent } from '../../percent.ts';
import type { RunResult } from '../../report/result.ts';
import { type Section, SHOWN_SAMPLES, type ShownSample } from '../../report/targets/section.ts';
import { LOGITS } from '../../teachers/teacher-source.ts';
import type { TeacherMember } from '../context/task.ts';

type Result = NonNullable<RunResult['teachers']>;

/** What each of several teachers said of a sample. */
interface Said {
  readonly label: number;
  readonly answers: readonly number[];
  readonly together: number;
}

/** Several teachers on the samples of a split: what each is worth alone, and where they disagree. */
export class ComparedTeachers {
  readonly #members: readonly TeacherMember[];
  readonly #right: number[];
  /** How many samples this teacher alone gets right. */
  readonly #onlyRight: number[];
  #togetherRight = 0;
  #anyRight = 0;
  #samples = 0;
  #disagreed = 0;
  readonly #shown: { readonly ordinal: number; readonly said: Said }[] = [];

  constructor(members: readonly TeacherMember[]) {
    this.#members = members;
    this.#right = members.map(() => 0);
    this.#onlyRight = members.map(() => 0);
  }

  /** The outputs that are asked for: what they say together, and each alone. */
  get outputs(): string[] {
    return [LOGITS, ...this.#members.map(({ output }) => output)];
  }

  /** @param answers by output, of the `filled` rows at least */
  add(batch: Batch, answers: Readonly<Record<string, Tensor>>): void {
    const read = (name: string) => [...readLogits(answers[name] as Tensor, batch)];
    const each = this.#members.map(({ output }) => read(output));
    read(LOGITS).forEach(({ ordinal, label, answer }, row) => {
      this.#count(ordinal, {
        label,
        together: answer,
        answers: each.map((own) => own[row]?.answer as number),
      });
    });
  }

  result(): Result {
    const share = (count: number) => (this.#samples > 0 ? count / this.#samples : 0);
    return {
      members: this.#members.map(({ title, weight }, i) => ({
        title,
        weight,
        accuracy: share(this.#right[i] as number),
        onlyRight: share(this.#onlyRight[i] as number),
      })),
      together: share(this.#togetherRight),
      anyRight: share(this.#anyRight),
      disagreement: share(this.#disagreed),
    };
  }

  /** For the report. @param example undefined where no samples are shown */
  section(labels: readonly string[], example: ((ordinal: number) => Example) | undefined): Section {
    const { members, together, anyRight, disagreement } = this.result();
    return [
      {
        block: 'table',
        title: 'Each teacher alone',
        about: `On the test samples. Together they are right on ${percent(together)}; some teacher is right on ${percent(anyRight)}; they disagree on ${percent(disagreement)}.`,
        columns: [
          { title: 'Teacher', format: 'text' },
          { title: 'Accuracy', format: 'percent' },
          { title: 'Right where no other is', format: 'percent' },
          { title: 'Weight', format: 'percent' },
        ],
        rows: members.map(({ title, accuracy, onlyRight, weight }) => [title, accuracy, onlyRight, weight]),
      },
      ...(example && this.#shown.length > 0
        ? [
            {
              block: 'samples' as const,
              title: 'Where the teachers disagree',
              about: 'Test samples about which they give different classes, the first ones of the split.',
              samples: this.#shown.map(
                ({ ordinal, said }): ShownSample => ({
                  ...example(ordinal),
                  said: [
                    { who: 'truth', words: labels[said.label] ?? '' },
                    { who: 'teacher', words: this.#inWords(said, labels) },
                  ],
                }),
              ),
            },
          ]
        : []),
    ];
  }

  #count(ordinal: number, said: Said): void {
    const { label, answers, together } = said;
    this.#samples++;
    if (together === label) this.#togetherRight++;
    const right = answers.flatMap((answer, i) => (answer === label ? [i] : []));
    for (const i of right) this.#right[i] = (this.#right[i] as number) + 1;
    if (right.length > 0) this.#anyRight++;
    const [only] = right;
    if (right.length === 1 && only !== undefined)
      this.#onlyRight[only] = (this.#onlyRight[only] as number) + 1;
    if (answers.every((answer) => answer === answers[0])) return;
    this.#disagreed++;
    if (this.#shown.length < SHOWN_SAMPLES) this.#shown.push({ ordinal, said });
  }

  #inWords({ answers, together }: Said, labels: readonly string[]): string {
    const each = this.#members.map(({ title }, i) => `${title}: ${labels[answers[i] as number]}`);
    return `${labels[together]} (${each.join('; ')})`;
  }
}
