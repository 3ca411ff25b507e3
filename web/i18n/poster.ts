/** The texts of a poster, which is in both languages whatever the app's language is. */
export interface PosterTexts {
  lang: string;
  invites(by: string, room: string): string;
  wifi(name: string): string;
  password(password: string): string;
  scan: string;
  orCode(host: string): string;
  name: string;
  until(day: string): string;
}

export const POSTER_TEXTS: readonly PosterTexts[] = [
  {
    lang: 'en',
    invites: (by, room) => `${by} invites you to ${room}`,
    wifi: (name) => `Join the Wi-Fi “${name}”.`,
    password: (password) => `Its password: ${password}`,
    scan: 'Scan this with your phone’s camera.',
    orCode: (host) => `Or open ${host} and tap “I have an invitation code”:`,
    name: 'Type your name and tap Join.',
    until: (day) => `Valid until ${day}`,
  },
  {
    lang: 'zh-CN',
    invites: (by, room) => `${by} 邀请你加入 ${room}`,
    wifi: (name) => `连接 Wi-Fi“${name}”。`,
    password: (password) => `密码：${password}`,
    scan: '用手机相机扫描此码。',
    orCode: (host) => `或打开 ${host}，点“我有邀请码”，输入：`,
    name: '填写你的名字，点“加入”。',
    until: (day) => `有效期至 ${day}`,
  },
];
