/** Commands by number over a WebSocket, as both protocols of browsers have them, and what the browser tells unasked. */
export class Wire {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  readonly #hears: (method: string, params: Record<string, unknown>) => void;
  #last = 0;

  private constructor(socket: WebSocket, hears: (method: string, params: Record<string, unknown>) => void) {
    this.#socket = socket;
    this.#hears = hears;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the browser has gone"));
    };
  }

  static async to(url: string, hears: (method: string, params: Record<string, unknown>) => void): Promise<Wire> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`no connection to ${url}`));
    });
    return new Wire(socket, hears);
  }

  /** @throws Error with what the browser says where it refuses. */
  send<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = ++this.#last;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.catch((error: Error) => {
      throw new Error(`${method}: ${error.message}`);
    }) as Promise<T>;
  }

  close(): void {
    this.#socket.close();
  }

  #take(message: Record<string, unknown>): void {
    const { id, error, result, method, params } = message;
    const waiting = this.#waiting.get(id as number);
    if (waiting === undefined) {
      if (method !== undefined) this.#hears(method as string, params as Record<string, unknown>);
      return;
    }
    this.#waiting.delete(id as number);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new Error(JSON.stringify(message["message"] ?? error)));
  }
}
