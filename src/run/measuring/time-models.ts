import type { Split } from '../../data/split.ts';
import type { Session } from '../../engine/engine.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { TEACHER_NAME } from './compared-models.ts';
import { measureSpeed, type Speed, type SpeedInputs } from './measure-speed.ts';

/** Times every model on the same calls; a teacher that reads samples by a processor of its own on the same samples. */
export async function timeModels(
  run: Pick<RunContext, 'emit' | 'options' | 'checkInterrupted'>,
  sessions: ReadonlyMap<string, Session>,
  { speedCalls, teacherReads }: Pick<TaskData, 'speedCalls' | 'teacherReads'>,
  split: Split,
): Promise<Map<string, Speed>> {
  const inputsOf = (from: Split, columns?: readonly string[]): SpeedInputs => ({
    one: [...speedCalls(from, 1, undefined, columns)],
    thirtyTwo: [...speedCalls(from, 32, undefined, columns)],
  });
  const inputs = inputsOf(split);
  const ofTeacher = teacherReads ? inputsOf(teacherReads.split(split), teacherReads.columns) : inputs;
  const speeds = new Map<string, Speed>();
  for (const [name, session] of sessions) {
    run.checkInterrupted();
    run.emit({
      type: 'progress',
      stage: 'evaluate',
      task: 'timing',
      done: speeds.size,
      total: sessions.size,
      unit: 'models',
    });
    speeds.set(
      name,
      await measureSpeed(session, name === TEACHER_NAME ? ofTeacher : inputs, run.options.timingSeconds),
    );
  }
  return speeds;
}
