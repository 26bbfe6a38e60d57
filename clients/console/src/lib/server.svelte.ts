// What the server says about itself in /console.json.

export interface ServerInfo {
  endpoint: string;
  region: string;
  version: string;
}

class Server {
  info = $state<ServerInfo>({ endpoint: '', region: 'us-east-1', version: '' });

  async load(): Promise<void> {
    const answer = await fetch('console.json', { cache: 'no-store' });
    if (answer.ok) this.info = { ...this.info, ...((await answer.json()) as Partial<ServerInfo>) };
  }
}

export const server = new Server();

/** Whether others on the network can read along. */
export function isPrivateConnection(): boolean {
  return location.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
}
