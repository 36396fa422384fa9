import type { DistillReport } from '../report-data.ts';
import { classAnswersOf, withClassAnswers } from './class-results.ts';
import { syntheticGraph } from './synthetic-graph.ts';
import { syntheticReport } from './synthetic-report.ts';

/** Runs when a page lets it: as a tag, out of a quoted attribute, out of a style or script, out of Markdown. */
export const HOSTILE =
  "</script></style></title></pre>\"><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>' onmouseover=alert(1) `<svg/onload=alert(1)>` --> ]]> &lt;b&gt; ```\n# heading\n| cell \u0000\u202e\ud800";

/** A report in which every string from outside is hostile, and very long without a space in it. */
export function hostileReport(): DistillReport {
  const data = syntheticReport();
  const hostile = (text: string) => `${text} ${HOSTILE}`;
  const labels = data.labels.map((label, index) =>
    index % 3 === 0 ? `${label}${'-endless'.repeat(30)}` : hostile(label),
  );
  const { disagreements } = classAnswersOf(data);
  const { outputs } = withClassAnswers(data, {
    labels,
    disagreements: disagreements.map((example) => ({ ...example, text: hostile('x'.repeat(400)) })),
  });
  return {
    ...data,
    outputs,
    name: hostile(data.name),
    labels,
    models: { teacher: hostile(data.models.teacher ?? ''), student: hostile(data.models.student) },
    result: {
      ...data.result,
      command: hostile(data.result.command),
      engine: hostile(data.result.engine),
      machine: { ...data.result.machine, cpu: hostile(data.result.machine.cpu) },
    },
    curves: {
      ...data.curves,
      student: data.curves.student.map((point) => ({
        ...point,
        trainingStage: HOSTILE,
        losses: { ...point.losses, [HOSTILE]: 1 },
      })),
    },
    dynamics: data.dynamics && {
      ...data.dynamics,
      examples: {
        ...data.dynamics.examples,
        hard: data.dynamics.examples.hard.map((example) => ({ ...example, text: hostile('x'.repeat(400)) })),
      },
    },
    knowledgeGraph: syntheticGraph(data.labels.map(hostile), hostile),
    data: {
      ...data.data,
      title: hostile(data.data.title),
      brokenExamples: [{ where: hostile('a.jsonl:3'), problem: hostile('broken') }],
    },
    warnings: [{ level: 'warning', message: hostile('warning') }],
    recipe: hostile(data.recipe),
  };
}
