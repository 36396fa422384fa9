import type { Batch } from '../../data/batch.ts';
import { LABELS_ALONE } from '../../report/result.ts';
import { sectionOf } from '../../report/targets/index.ts';
import type { Section, SectionCollector, Speaker } from '../../report/targets/section.ts';
import { besideBoxes } from '../../report/targets/sentence.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';
import type { BatchAnswers, ComparedModels } from './compared-models.ts';

const SPEAKERS = ['teacher', 'student'] as const satisfies Speaker[];

/** A block of an output of which only the teacher knows anything: what is compared with is what the teacher says. */
export function saidByTeacher(block: Section[number]): Section[number] {
  if (block.block === 'classes') return { ...block, taught: true };
  if (block.block !== 'samples') return block;
  const samples = block.samples.map((sample) => {
    const hasTeacher = sample.said.some(({ who }) => who === 'teacher');
    const said = sample.said.flatMap((one) => {
      if (one.who !== 'truth') return [one];
      return hasTeacher ? [] : [{ ...one, who: 'teacher' as const }];
    });
    return { ...sample, said };
  });
  return { ...block, samples };
}

/** What the report shows of each output, gathered batch by batch. */
export class ReportSections {
  /** By output; `shown` is the output of models that is shown: of sentences what they write. */
  readonly #collectors = new Map<string, { readonly collector: SectionCollector; readonly shown: string }>();
  readonly #data: TaskData;

  constructor(run: Pick<RunContext, 'recipe'>, data: TaskData, models: ComparedModels) {
    this.#data = data;
    const { heads, task } = data;
    const { seed, report } = run.recipe;
    heads.forEach((head, i) => {
      const thresholds = new Map<Speaker, readonly number[]>();
      for (const who of SPEAKERS) {
        const tuned = models.names.includes(who) ? models.headsOf(who)[i]?.tuned : undefined;
        if (tuned) thresholds.set(who, tuned);
      }
      const collector = sectionOf(head.target.kind)?.({
        head,
        seed,
        taught: isTaughtAlone(head),
        examples: report.examples,
        unit: task.unit,
        isOnly: heads.length === 1,
        thresholds,
        tokenizer: task.tokenizer,
      });
      if (collector) this.#collectors.set(head.output, { collector, shown: head.written ?? head.output });
    });
  }

  add(said: BatchAnswers, batch: Batch): void {
    const { test } = this.#data.dataset.splits;
    for (const { collector, shown } of this.#collectors.values()) {
      const own = SPEAKERS.flatMap((who) => {
        const answer = said.get(who)?.[shown];
        return answer ? [[who, answer] as const] : [];
      });
      const baseline = said.get(LABELS_ALONE.name)?.[shown];
      collector.add(new Map(own), batch, (ordinal) => test.example(ordinal), baseline);
    }
  }

  /** By output. */
  sections(): ReadonlyMap<string, Section> {
    const taught = new Set(this.#data.heads.filter(isTaughtAlone).map(({ output }) => output));
    return besideBoxes(
      new Map(
        [...this.#collectors].map(([output, { collector }]) => {
          const section = collector.section();
          return [output, taught.has(output) ? section.map(saidByTeacher) : section];
        }),
      ),
    );
  }
}
