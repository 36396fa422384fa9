import { int8Ships, type ModelResult, type TrainResult } from './result.ts';

/** Smaller differences are noise of the clock. */
const NOISE = 0.95;

/**
 * That the int8 file is slower than the float32 one on the machine where both were timed, as those of narrow convolutions and of
 * MobileNetV3 are; undefined where it is not, or where it does not ship.
 */
export function slowerInt8(
  result: Pick<TrainResult, 'student' | 'studentInt8' | 'gate' | 'runtimeGates' | 'machine'>,
): string | undefined {
  const { student, studentInt8, machine } = result;
  if (!studentInt8 || !int8Ships(result) || !(slowness(studentInt8, student) < NOISE)) return undefined;
  const times = (1 / slowness(studentInt8, student)).toFixed(1);
  return `the int8 file is ${times} times slower than the float32 one on ${machine.cpu}: it is for where its size counts, or other processors`;
}

/** Samples in a second, by those of the float32 file. */
function slowness(int8: ModelResult, float: ModelResult): number {
  return int8.throughput / float.throughput;
}
