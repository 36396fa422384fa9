import { readLogits } from '../../metrics/class-answers.ts';
import {
  type Confusion,
  classResults,
  confusionCounts,
  countAnswer,
  createConfusion,
} from '../../metrics/confusion.ts';
import { classesOf } from '../../targets/head.ts';
import type { SectionCollector, SectionContext, Speaker } from './section.ts';

/** Class by class: recall and F1 of each model, where a class is one of several outputs. */
export function classSection({ head, unit }: SectionContext): SectionCollector {
  const names = classesOf(head);
  const confusions = new Map<Speaker, Confusion>();
  return {
    add(answers, batch) {
      for (const [who, answer] of answers) {
        const own = confusions.get(who) ?? createConfusion(names.length);
        confusions.set(who, own);
        for (const { label, answer: said } of readLogits(answer, batch, head)) countAnswer(own, label, said);
      }
    },
    section() {
      const results = [...confusions].map(([who, own]) => [who, classResults(confusionCounts(own))] as const);
      return [
        {
          block: 'table',
          title: 'Class by class',
          about: 'The share of each class that is answered rightly (recall), and F1.',
          columns: [
            { title: 'Class', format: 'text' },
            { title: unit, format: 'count' },
            ...results.flatMap(([who]) => [
              { title: `Recall, ${who}`, format: 'percent' as const },
              { title: `F1, ${who}`, format: 'percent' as const },
            ]),
          ],
          rows: names.map((name, k) => [
            name,
            results[0]?.[1][k]?.support ?? 0,
            ...results.flatMap(([, own]) => [own[k]?.accuracy ?? null, own[k]?.f1 ?? null]),
          ]),
        },
      ];
    },
  };
}
