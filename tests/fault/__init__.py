"""Kills, cuts and delays: the bot as a process of its own, on a stand-in for Telegram that misbehaves."""
