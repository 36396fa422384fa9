import type { Batch } from '../../data/batch.ts';
import { readLogits } from '../../metrics/class-answers.ts';
import {
  type Confusion,
  classResults,
  confusionCounts,
  countAnswer,
  createConfusion,
} from '../../metrics/confusion.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { classesOf, type Head } from '../../targets/head.ts';
import { createComparison } from '../model-comparison.ts';
import type { SectionCollector, SectionContext, Speaker } from './section.ts';

/** One class a sample: all about it where it is what a model is for; recall and F1 where it is one of several outputs. */
export function classSection(context: SectionContext): SectionCollector {
  return context.isOnly ? comparedClasses(context) : classTable(context);
}

/** Sample by sample: whose errors the student's are, and how sure the models are. */
function comparedClasses({ head, seed, examples }: SectionContext): SectionCollector {
  const comparison = createComparison({ labels: classesOf(head), seed, examples });
  return {
    add(answers, batch, example, baseline) {
      const read = (answer: Tensor | undefined) => answer && readAll(answer, batch, head);
      const [teacher, student, alone] = [
        read(answers.get('teacher')),
        read(answers.get('student')),
        read(baseline),
      ];
      student?.forEach(({ ordinal, label, said }, row) => {
        comparison.add({
          example: () => example(ordinal),
          truth: label,
          student: said,
          teacher: teacher?.[row]?.said,
          baseline: alone?.[row]?.said,
        });
      });
    },
    section: () => [comparison.result()],
  };
}

/** The answers to a batch's samples that have a class. */
function readAll(logits: Tensor, batch: Batch, head: Head) {
  return Array.from(readLogits(logits, batch, head), ({ ordinal, label, answer, confidence }) => ({
    ordinal,
    label,
    said: { label: answer, confidence },
  }));
}

function classTable({ head, unit }: SectionContext): SectionCollector {
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
