import type { Dataset } from '../../data/dataset.ts';
import type { Split } from '../../data/split.ts';
import type { TaskData, TeacherReading } from './task.ts';

/** The data as their teacher reads them: the same where it has the student's processor. For whatever asks the teacher. */
export function asTeacherReads(data: TaskData): TaskData {
  const { teacherReads, task, taughtTruth } = data;
  if (!teacherReads) return data;
  const { preprocessing, vocabularySize, columns, token } = teacherReads;
  return {
    ...data,
    // It is not the data's own where held-out samples are judged by the teacher (`withTaughtTruth`).
    ...(taughtTruth && { taughtTruth }),
    task: {
      ...task,
      preprocessing,
      ...(vocabularySize !== undefined && { vocabularySize }),
      ...(columns && { columns }),
      ...(token && { token }),
    },
    dataset: datasetAsRead(data.dataset, teacherReads),
    asked: teacherReads.split(data.asked),
  };
}

/** A data set whose splits are read so. */
export function datasetAsRead<T extends Pick<Dataset<Split>, 'splits'>>(
  dataset: T,
  reading: TeacherReading,
): T {
  const { train, labelled, validation, test } = dataset.splits;
  const splits = {
    train: reading.split(train),
    labelled: reading.split(labelled),
    validation: reading.split(validation),
    test: reading.split(test),
  };
  return { ...dataset, splits: { ...dataset.splits, ...splits } };
}
