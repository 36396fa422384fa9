import { outputRows } from '../../metrics/output-rows.ts';
import { dot } from '../../metrics/vector-pairs.ts';
import { randomStream } from '../../random.ts';
import { type SectionCollector, type SectionContext, SHOWN_SAMPLES, type ShownSample } from './section.ts';

/** Samples that are kept to be compared with each other. */
const MOST_SAMPLES = 256;
const MOST_PAIRS = 500;
const NEIGHBOURS = 3;

interface Kept {
  readonly ordinal: number;
  readonly own: Float64Array;
  readonly truth: Float64Array;
  readonly shown: { readonly text: string; readonly picture?: string };
}

/** How alike pairs of samples are to the student and in truth, and whom each finds nearest to some samples. */
export function embeddingSection({ head, seed, examples, taught = false }: SectionContext): SectionCollector {
  const kept: Kept[] = [];
  return {
    add(answers, batch, example) {
      const student = answers.get('student');
      if (!student) return;
      for (const { ordinal, answer, truth } of outputRows(student, batch, head)) {
        if (kept.length === MOST_SAMPLES) return;
        kept.push({
          ordinal,
          own: unit(answer),
          truth: unit(truth),
          shown: examples ? example(ordinal) : { text: '' },
        });
      }
    },
    section() {
      const random = randomStream(seed, 'pairs of a report');
      const draw = () => random.integer(kept.length);
      const points = Array.from({ length: kept.length > 1 ? MOST_PAIRS : 0 }, (): [number, number] => {
        const [a, b] = [kept[draw()], kept[draw()]] as [Kept, Kept];
        return [dot(a.truth, b.truth), dot(a.own, b.own)];
      });
      const samples: ShownSample[] = (examples ? kept.slice(0, SHOWN_SAMPLES) : []).map((sample) => ({
        ...sample.shown,
        said: [
          { who: 'truth', words: nearest(kept, sample, 'truth') },
          { who: 'student', words: nearest(kept, sample, 'own') },
        ],
      }));
      return [
        {
          block: 'scatter',
          title: 'How alike two samples are',
          about: `The cosine of two vectors: ${taught ? 'as the teacher has them' : 'as they should be'}, and as the student has them. On the dotted diagonal both are one.`,
          x: taught ? "cosine, the teacher's" : 'cosine that is true',
          y: "the student's",
          series: [{ name: 'student', color: 'student', points }],
        },
        {
          block: 'samples',
          title: 'Nearest neighbours',
          about: `Among ${kept.length} test samples.`,
          samples,
        },
      ];
    },
  };
}

function nearest(kept: readonly Kept[], to: Kept, by: 'own' | 'truth'): string {
  return kept
    .filter((one) => one !== to)
    .map((one) => ({ text: one.shown.text, cosine: dot(one[by], to[by]) }))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, NEIGHBOURS)
    .map(({ text, cosine }) => `${text.slice(0, 80)} (${cosine.toFixed(2)})`)
    .join(' · ');
}

function unit(vector: ArrayLike<number>): Float64Array {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return Float64Array.from(vector, (value) => value / length);
}
