/** A reader of server-sent events, as plain as the format. */
export interface ServerSentEvent {
  id?: string;
  event?: string;
  data?: string;
  retry?: string;
  /** A line that is for nobody. */
  comment?: string;
}

export interface EventReader {
  response: Response;
  /** What came so far, whole events only. */
  events(): ServerSentEvent[];
  /** The records among them. */
  records(): {stream: string; id: string; fields: Record<string, string>}[];
  /** Resolves when the server ends it, or `stop` does. */
  ended: Promise<void>;
  stop(): void;
}

/** GETs `url` and reads events for as long as they come. */
export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, {headers, signal: abort.signal});
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) text += decoder.decode(chunk as Uint8Array, {stream: true});
  };
  const events = (): ServerSentEvent[] => text.split('\n\n').slice(0, -1).map(parseEvent);
  return {
    response,
    events,
    records: () => events().flatMap(({data, event}) => (data && !event ? [JSON.parse(data)] : [])),
    ended: read().catch(() => {}),
    stop: () => abort.abort(),
  };
}

function parseEvent(block: string): ServerSentEvent {
  const event: ServerSentEvent = {};
  for (const line of block.split('\n')) {
    const [, name = '', value] = /^(.*?): ?(.*)$/.exec(line) ?? [];
    Object.assign(event, {[name === '' ? 'comment' : name]: value ?? ''});
  }
  return event;
}
