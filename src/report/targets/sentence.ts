import { columnOf, rowOf } from '../../metrics/output-rows.ts';
import type { SentenceSpace } from '../../targets/sentence-truth.ts';
import { writtenSentence } from '../../targets/sentence-words.ts';
import { DrawnSamples } from './drawn-samples.ts';
import type { Said, Section, SectionCollector, SectionContext } from './section.ts';

/** Images with their true sentences, and those that each model wrote. */
export function sentenceSection({ head, seed, examples }: SectionContext): SectionCollector {
  const { words } = head.space as SentenceSpace;
  const drawn = new DrawnSamples(seed, examples);
  return {
    add(written, batch, example) {
      const truths = columnOf(batch.columns, head.labels);
      for (let row = 0; row < batch.filled; row++) {
        const truth = rowOf(truths, row) as Int32Array;
        if ((truth[0] as number) < 0) continue;
        drawn.offer(() => ({
          ...example(batch.ordinals[row] as number),
          said: [
            { who: 'truth', words: writtenSentence(truth, words) },
            ...[...written].map(
              ([who, numbers]): Said => ({
                who,
                words: writtenSentence(rowOf(numbers, row) as Int32Array, words),
              }),
            ),
          ],
        }));
      }
    },
    section: () => [
      {
        block: 'samples',
        title: 'Images with their sentences',
        about: 'Drawn at random; what the models write by themselves, the likeliest word each time.',
        samples: drawn.samples,
      },
    ],
  };
}

/**
 * The sections of a report with sentences under the boxes of the same images, where both are shown: one block instead of two. The
 * samples of outputs are drawn alike, so that they are the same ones where every sample has both.
 *
 * @param sections by output
 */
export function besideBoxes(sections: ReadonlyMap<string, Section>): ReadonlyMap<string, Section> {
  const blocks = [...sections].flatMap(([output, section]) =>
    section.flatMap((block) => (block.block === 'samples' ? [{ output, block }] : [])),
  );
  const says = (key: 'boxes' | 'words') =>
    blocks.find(({ block }) => block.samples.some(({ said }) => said.every((one) => one[key])));
  const [boxes, sentences] = [says('boxes'), says('words')];
  if (!boxes || !sentences || boxes === sentences) return sections;
  const [drawn, told] = [boxes.block.samples, sentences.block.samples];
  const isSame = drawn.length === told.length && drawn.every(({ text }, i) => text === told[i]?.text);
  if (!isSame) return sections;
  const both: Section[number] = {
    ...boxes.block,
    title: 'Images with their boxes and sentences',
    about: `${boxes.block.about} ${sentences.block.about.replace(/^Drawn at random; what/, 'What')}`,
    samples: drawn.map((sample, i) => ({
      ...sample,
      said: sample.said.map((one) => ({
        ...one,
        words: told[i]?.said.find(({ who }) => who === one.who)?.words,
      })),
    })),
  };
  return new Map(
    [...sections].map(([output, section]) => [
      output,
      section.flatMap((block) => (block === boxes.block ? [both] : block === sentences.block ? [] : [block])),
    ]),
  );
}
