import { LimbeckError } from '../../errors.ts';
import { nodeModule } from '../../platform/node-modules.ts';

/** How a word is to be spoken. */
export interface Utterance {
  readonly text: string;
  /** As eSpeak NG names them: an accent and a variant of the voice, `en-us+f2`. */
  readonly voice: string;
  /** Words a minute, 80 to 450. */
  readonly speed: number;
  /** 0 to 99. */
  readonly pitch: number;
}

const REMEDY =
  'Install eSpeak NG (Debian and Ubuntu: apt-get install espeak-ng; macOS: brew install espeak-ng); it is a program of its own, under GPL-3.';
/** A word takes some hundredths of a second. */
const MOST_MS = 20_000;

/**
 * Speaks an utterance with the program espeak-ng into a WAV file.
 *
 * @throws LimbeckError `data.missing` where there is no such program, `data.speech` where it fails
 */
export async function speakToFile({ text, voice, speed, pitch }: Utterance, path: string): Promise<void> {
  // The text comes last, after the end of the options: it may begin with a dash.
  const options = ['-v', voice, '-s', `${speed}`, '-p', `${pitch}`, '-z', '-w', path, '--', text];
  await run(options);
}

/** The program's version, which what it speaks depends on. */
export async function espeakVersion(): Promise<string> {
  const [version] = (await run(['--version'])).split('Data at');
  return (version as string).trim();
}

async function run(options: readonly string[]): Promise<string> {
  const processes = nodeModule('node:child_process');
  if (!processes) throw new LimbeckError('data.missing', 'a page has no espeak-ng', { remedy: REMEDY });
  return new Promise((resolve, reject) => {
    processes.execFile('espeak-ng', options, { timeout: MOST_MS }, (error, output) => {
      if (!error) return resolve(output);
      const isMissing = 'code' in error && (error as { code: unknown }).code === 'ENOENT';
      const problem = isMissing ? 'espeak-ng is not installed' : `espeak-ng failed: ${error.message.trim()}`;
      reject(
        new LimbeckError(isMissing ? 'data.missing' : 'data.speech', problem, {
          where: 'data.source, kind: spoken-words',
          remedy: REMEDY,
          cause: error,
        }),
      );
    });
  });
}
