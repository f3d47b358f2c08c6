"""Feeds of distributions with deb, apk and pacman packages, beside Debian's and Alpine's own drivers."""
