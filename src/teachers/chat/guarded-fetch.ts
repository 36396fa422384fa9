import { LimbeckError } from '../../errors.ts';

const MOST_BYTES = 64 * 2 ** 20;
const MOST_REDIRECTS = 3;

export interface GuardOptions {
  /** That a reply may take. */
  readonly seconds: number;
  readonly send?: typeof fetch;
}

/** A reply that began in time and did not end. Its name tells that the same request may be answered a little later. */
export class ReplyTimeoutError extends Error {}

/**
 * A fetch that sends the key, and what is asked, to one host only: a redirect within the same origin is followed, any other
 * one is an error. Replies of more than 64 MB are cut off with an error, and so are those that take more than `seconds` to their end: clients
 * wait that long for their beginning only.
 *
 * @throws LimbeckError `teacher.redirect`, `teacher.reply`
 */
export function guardedFetch({ seconds, send = fetch }: GuardOptions): typeof fetch {
  return async (input, init) => {
    let url = new URL(input instanceof Request ? input.url : input);
    const until = performance.now() + seconds * 1000;
    for (let hops = 0; ; hops++) {
      const reply = await send(url, { ...init, redirect: 'manual' });
      const target = reply.headers.get('location');
      if (reply.status < 300 || reply.status > 399 || target === null) return limited(reply, until);
      await reply.body?.cancel();
      const next = new URL(target, url);
      // Another method than the one that was asked for would be another question.
      const keeps = reply.status === 307 || reply.status === 308 || (init?.method ?? 'GET') === 'GET';
      if (next.origin !== url.origin || !keeps || hops === MOST_REDIRECTS) throw redirected(url, next);
      url = next;
    }
  };
}

function redirected(from: URL, to: URL): LimbeckError {
  const other = from.origin === to.origin ? `${to.origin}${to.pathname}` : to.origin;
  return new LimbeckError('teacher.redirect', `the teacher's endpoint redirects to ${other}`, {
    where: `${from.origin}${from.pathname}`,
    remedy:
      'Neither the key nor a sample was sent there. If that is where the API is, set teacher.baseURL to it; if not, do not trust this endpoint.',
  });
}

function limited(reply: Response, until: number): Response {
  if (!reply.body) return reply;
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout>;
  const counted = reply.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      start(controller) {
        const late = () => controller.error(new ReplyTimeoutError('the reply did not come to its end'));
        timer = setTimeout(late, Math.max(0, until - performance.now()));
      },
      transform(chunk, controller) {
        bytes += chunk.length;
        if (bytes <= MOST_BYTES) {
          controller.enqueue(chunk);
          return;
        }
        clearTimeout(timer);
        controller.error(
          new LimbeckError('teacher.reply', "the endpoint's reply is larger than 64 MB", {
            where: new URL(reply.url || 'http://endpoint').origin,
            remedy: 'This is no answer to what was asked; check teacher.baseURL.',
          }),
        );
      },
      flush() {
        clearTimeout(timer);
      },
    }),
  );
  const { status, statusText, headers } = reply;
  return new Response(counted, { status, statusText, headers });
}
