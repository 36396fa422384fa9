import { samplesOfFrame } from '../students/wav2vec2.ts';
import type { Problem } from './meaning.ts';

interface Wanted {
  readonly student: object;
  readonly inputs?: Readonly<Record<string, object>> | undefined;
}

/** Convolutions over a waveform (`wav2vec2`) that do not fit each other, the width, or the window that they hear. */
export function framesProblems({ student, inputs = {} }: Wanted): Problem[] {
  if (!('kind' in student) || student.kind !== 'wav2vec2') return [];
  const { kernels, strides, width, positionGroups } = student as unknown as Frames;
  const problems: Problem[] = [];
  if (width % positionGroups !== 0) {
    const message = `${positionGroups} groups do not divide a width of ${width}: choose a width that is a multiple of positionGroups`;
    problems.push({ path: ['student', 'positionGroups'], message });
  }
  if (kernels.length !== strides.length) {
    const message = `there are ${kernels.length} kernels and ${strides.length} strides: give each convolution one of each`;
    return [...problems, { path: ['student', 'kernels'], message }];
  }
  const needed = samplesOfFrame(kernels, strides);
  for (const [name, input] of Object.entries(inputs)) {
    const { rate, seconds } = input as { rate?: unknown; seconds?: unknown };
    if (typeof rate !== 'number' || typeof seconds !== 'number') continue;
    const samples = Math.round(rate * seconds);
    if (samples >= needed) continue;
    const message = `a window of ${samples} samples, and the student's first frame needs ${needed}: set a longer one, or smaller student.kernels`;
    problems.push({ path: ['inputs', name, 'seconds'], message });
  }
  return problems;
}

interface Frames {
  readonly kernels: readonly number[];
  readonly strides: readonly number[];
  readonly width: number;
  readonly positionGroups: number;
}
