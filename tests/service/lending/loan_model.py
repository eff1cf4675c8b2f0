"""What a loan owes, told as a person can check it: dictionaries, fractions, no SQL."""

from datetime import date, timedelta
from fractions import Fraction
from math import floor

START = date(2027, 12, 20)  # histories cross a new year and a 29 February
KINDS = ("principal", "interest", "fees")


class Model:
    """What a loan owes, told as simply as it can be."""

    def __init__(self, limit_minor, rate_ppm, due_on, expires_on):
        self.limit_minor, self.rate_ppm, self.due_on, self.expires_on = limit_minor, rate_ppm, due_on, expires_on
        self.owed = dict.fromkeys(KINDS, 0)
        self.status, self.restructured, self.limit_closed = "approved", False, False
        self.bore = Fraction(0)  # exact interest of all days so far
        self.posted = 0
        self.on, self.closed_through = START, START - timedelta(days=1)
        self.history = {}  # movement id -> change by kind
        self.reversed = set()
        self.day_changes = []  # (business date, change of principal)

    def total(self):
        return sum(self.owed.values())

    def business_on(self):
        return max(self.on, self.closed_through + timedelta(days=1), *(day for day, _ in self.day_changes))

    def bear(self, through):
        """Interest of the days up to `through`; returns what is new as changes, one a day."""
        new = []
        while self.status in {"active", "overdue", "restructured"} and self.closed_through < through:
            self.closed_through += timedelta(days=1)
            principal = sum(change for day, change in self.day_changes if day <= self.closed_through)
            self.bore += Fraction(principal * self.rate_ppm, 365 * 10**6)
            day = floor(self.bore + Fraction(1, 2)) - self.posted
            self.posted += day
            self.owed["interest"] += day
            new.append(day)
        return [day for day in new if day]

    def move(self, movement_id, change):
        self.history[movement_id] = change
        for kind, amount in change.items():
            self.owed[kind] += amount
        self.day_changes.append((self.business_on(), change.get("principal", 0)))

    def settle(self):
        if self.status == "written_off":
            return
        if self.total() == 0:
            usable = not self.limit_closed and self.on < self.expires_on and self.on <= self.due_on
            if not (self.status in {"approved", "active"} and usable):
                self.status = "closed"
        elif self.on > self.due_on:
            self.status = "overdue"
        else:
            self.status = "restructured" if self.restructured else "active"
