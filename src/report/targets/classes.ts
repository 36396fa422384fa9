import { rocArea } from '../../metrics/auroc.ts';
import { LabelScores } from '../../metrics/label-scores.ts';
import { rowOf } from '../../metrics/output-rows.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { classesOf } from '../../targets/head.ts';
import { DrawnSamples } from './drawn-samples.ts';
import type { Said, SectionCollector, SectionContext, Speaker } from './section.ts';

/** Class by class: how well each model ranks the samples (AUROC), and what is called so; with some samples. */
export function classesSection(context: SectionContext): SectionCollector {
  const { head, seed, examples, unit, thresholds } = context;
  const names = classesOf(head);
  const scores = new Map<Speaker, LabelScores>();
  const drawn = new DrawnSamples(seed, examples);
  const called = (values: ArrayLike<number>, from: readonly number[] | undefined): string => {
    const own = names.filter((_, k) => (values[k] as number) >= (from?.[k] ?? 0));
    return own.length > 0 ? own.join(', ') : 'none';
  };
  return {
    add(answers, batch, example) {
      for (const [who, answer] of answers) {
        const own = scores.get(who) ?? new LabelScores(names.length);
        scores.set(who, own);
        own.add(answer, batch, head);
      }
      const truths = batch.columns[head.labels] as Tensor;
      for (let row = 0; row < batch.filled; row++) {
        const truth = rowOf(truths, row) as Float32Array;
        if (truth.every((value) => value < 0)) continue;
        drawn.offer(() => ({
          ...example(batch.ordinals[row] as number),
          said: [
            {
              who: 'truth',
              words: called(
                truth,
                names.map(() => 0.5),
              ),
            },
            ...[...answers].map(
              ([who, answer]): Said => ({
                who,
                words: called(rowOf(answer, row) as Float32Array, thresholds.get(who)),
              }),
            ),
          ],
        }));
      }
    },
    section() {
      const speakers = [...scores];
      const rows = names.map((name, k) => {
        const [first] = speakers.map(([, own]) => own.ofClass(k));
        const support = first ? first.truth.reduce((sum, value) => sum + Math.max(0, value), 0) : 0;
        const areas = speakers.map(([, own]) => {
          const { scores: values, truth } = own.ofClass(k);
          const { area } = rocArea(values, truth);
          return Number.isNaN(area) ? null : area;
        });
        return [name, support, ...areas];
      });
      const worst = (row: readonly (string | number | null)[]) => Number(row.at(-1) ?? 2);
      return [
        {
          block: 'table',
          title: 'Class by class',
          about: `The area under each class's ROC curve: the chance that a sample that has the class scores higher than one that has not. Hardest for the ${speakers.at(-1)?.[0] ?? 'student'} first.`,
          columns: [
            { title: 'Class', format: 'text' },
            { title: `${unit} with it`, format: 'count' },
            ...speakers.map(([who]) => ({ title: `AUROC, ${who}`, format: 'percent' as const })),
          ],
          rows: rows.sort((a, b) => worst(a) - worst(b)),
        },
        {
          block: 'samples',
          title: 'Some of the test samples',
          about:
            'Drawn at random. A class is answered from its threshold on, which was chosen on the validation split.',
          samples: drawn.samples,
        },
      ];
    },
  };
}
