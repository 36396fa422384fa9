import type { Split } from '../../data/split.ts';
import type { Session } from '../../engine/engine.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { TEACHER_NAME } from './compared-models.ts';
import { SPEED_SECONDS, type Speed, type SpeedInputs, TimedCalls, TURNS } from './measure-speed.ts';

/**
 * Times every model on the same calls, in turns; a teacher that reads samples by a processor of its own on the same samples. What is
 * told of a model is the median of its calls.
 */
export async function timeModels(
  run: Pick<RunContext, 'emit' | 'options' | 'checkInterrupted'>,
  sessions: ReadonlyMap<string, Session>,
  { speedCalls, teacherReads }: Pick<TaskData, 'speedCalls' | 'teacherReads'>,
  split: Split,
): Promise<Map<string, Speed>> {
  const { timingSeconds = SPEED_SECONDS } = run.options;
  const inputsOf = (from: Split, columns?: readonly string[]): SpeedInputs => ({
    one: [...speedCalls(from, 1, undefined, columns)],
    thirtyTwo: [...speedCalls(from, 32, undefined, columns)],
  });
  const inputs = inputsOf(split);
  const ofTeacher = teacherReads ? inputsOf(teacherReads.split(split), teacherReads.columns) : inputs;
  const models = [...sessions].map(([name, session]) => {
    const { one, thirtyTwo } = name === TEACHER_NAME ? ofTeacher : inputs;
    return {
      name,
      one: new TimedCalls(session, one, timingSeconds),
      thirtyTwo: new TimedCalls(session, thirtyTwo, timingSeconds),
    };
  });
  let done = 0;
  const total = (1 + TURNS) * models.length;
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const { one, thirtyTwo } of models) {
      run.checkInterrupted();
      run.emit({ type: 'progress', stage: 'evaluate', task: 'timing', done: done++, total, unit: 'turns' });
      for (const calls of [one, thirtyTwo]) await (turn === 0 ? calls.warm() : calls.turn(turn));
    }
  }
  return new Map(
    models.map(({ name, one, thirtyTwo }) => [
      name,
      {
        latencyMs: { one: one.medianMs, thirtyTwo: thirtyTwo.medianMs },
        throughput: 32_000 / thirtyTwo.medianMs,
      },
    ]),
  );
}
