import { Agent, request } from "node:http";

/** Who listens to many streams at once, and keeps what each of them heard. */
export class Audience {
  mostAtOnce = 0;
  private open = 0;
  private readonly heard: Buffer[] = [];
  private readonly wrong = new Map<string, number>();
  private readonly agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

  /** Resolves when the stream has ended, whichever way. */
  join(url: string, headers: Record<string, string>, body: string): Promise<void> {
    return new Promise((done) => {
      const chunks: Buffer[] = [];
      let began = false;
      const end = (trouble?: string) => {
        if (began) this.open--;
        began = false;
        if (trouble) this.wrong.set(trouble, (this.wrong.get(trouble) ?? 0) + 1);
        done();
      };
      const asked = request(url, { method: "POST", agent: this.agent, headers }, (response) => {
        if (response.statusCode !== 200) {
          response.resume();
          end(`answered ${response.statusCode}`);
          return;
        }
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          if (began) return;
          began = true;
          this.mostAtOnce = Math.max(this.mostAtOnce, ++this.open);
        });
        response.once("end", () => {
          this.heard.push(Buffer.concat(chunks));
          end();
        });
        response.once("error", (error) => end(error.message));
      });
      asked.once("error", (error) => end(error.message));
      asked.end(body);
    });
  }

  complete(expected: Buffer): number {
    return this.heard.filter((text) => text.equals(expected)).length;
  }

  troubles(): string[] {
    return [...this.wrong].map(([trouble, count]) => `${count} streams: ${trouble}`);
  }

  sample(): string {
    return this.heard[0]?.toString("utf8").slice(0, 200) ?? this.troubles().join();
  }
}
