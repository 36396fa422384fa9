import type { Section } from '../../report/targets/section.ts';
import type { WrittenStatistics } from './written-texts.ts';

/** What the report says of the texts that the teacher wrote: beside the documents that they begin as. */
export function writtenSection({ written, documents, ended, empty }: WrittenStatistics): Section {
  const row = (name: string, { texts, tokens, repetition }: WrittenStatistics['written']) => [
    name,
    texts,
    tokens,
    repetition,
  ];
  return [
    {
      block: 'table',
      title: 'Texts that the teacher wrote',
      about:
        'The student was taught by them, too. Lengths are without the beginnings, in tokens; repeated is the share of stretches of four tokens that a text had before. ' +
        `${(100 * ended).toFixed(1)} % came to an end by themselves, ${(100 * empty).toFixed(1)} % at once.`,
      columns: [
        { title: '', format: 'text' },
        { title: 'texts', format: 'count' },
        { title: 'mean length', format: 'number' },
        { title: 'repeated', format: 'percent' },
      ],
      rows: [row('written', written), row('the documents, from there on', documents)],
    },
  ];
}
