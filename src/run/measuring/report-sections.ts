import type { Batch } from '../../data/batch.ts';
import { LABELS_ALONE } from '../../report/result.ts';
import { sectionOf } from '../../report/targets/index.ts';
import type { Section, SectionCollector, Speaker } from '../../report/targets/section.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import type { BatchAnswers, ComparedModels } from './compared-models.ts';

const SPEAKERS = ['teacher', 'student'] as const satisfies Speaker[];

/** What the report shows of each output, gathered batch by batch. */
export class ReportSections {
  readonly #collectors = new Map<string, SectionCollector>();
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
        examples: report.examples,
        unit: task.unit,
        isOnly: heads.length === 1,
        thresholds,
        tokenizer: task.tokenizer,
      });
      if (collector) this.#collectors.set(head.output, collector);
    });
  }

  add(said: BatchAnswers, batch: Batch): void {
    const { test } = this.#data.dataset.splits;
    for (const [output, collector] of this.#collectors) {
      const own = SPEAKERS.flatMap((who) => {
        const answer = said.get(who)?.[output];
        return answer ? [[who, answer] as const] : [];
      });
      const baseline = said.get(LABELS_ALONE.name)?.[output];
      collector.add(new Map(own), batch, (ordinal) => test.example(ordinal), baseline);
    }
  }

  /** By output. */
  sections(): ReadonlyMap<string, Section> {
    return new Map([...this.#collectors].map(([output, collector]) => [output, collector.section()]));
  }
}
